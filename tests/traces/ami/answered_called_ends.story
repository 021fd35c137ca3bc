# Ani calls Budi, they talk, Budi hangs up.
A started 201 -> (202)
A ringing 201 -> 202
A answered 201 -> 202
A ended 201 -> 202 completed
