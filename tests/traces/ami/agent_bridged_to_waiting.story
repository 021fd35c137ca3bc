# Somebody waits, an agent's telephone is called and joined to them: the one who waits calls.
A started 0215550199 -> (230)
A answered 0215550199 -> 201
A ended 0215550199 -> 201 completed
