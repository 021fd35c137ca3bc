# Budi's telephone rings, then sends the caller on to Citra (302).
A started 201 -> (202)
A ringing 201 -> 202
A ringing 201 -> 203
A answered 201 -> 203
A ended 201 -> 203 completed
