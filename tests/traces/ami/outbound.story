# Ani calls a number outside.
A started 201 -> (0215550177)
A ringing 201 -> 0215550177
A answered 201 -> 0215550177
A ended 201 -> 0215550177 completed
