# Ani (201) calls Budi (202), they talk, Ani hangs up.
A started 201 -> (202)
A ringing 201 -> 202
A answered 201 -> 202
A ended 201 -> 202 completed
