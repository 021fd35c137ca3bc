# Somebody outside calls a number that is Ani's.
A started 0215550199 -> (0215550101)
A ringing 0215550199 -> 201
A answered 0215550199 -> 201
A ended 0215550199 -> 201 completed
