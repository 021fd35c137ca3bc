# Budi's telephone rings, Citra picks the call up with *8. Her dialling *8 is no call of its own.
A started 201 -> (202)
A ringing 201 -> 202
A answered 201 -> 203
A ended 201 -> 203 completed
