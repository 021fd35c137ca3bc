# Budi picks up and must listen to something first: they talk a second later.
A started 201 -> (216)
A ringing 201 -> 202
A answered 201 -> 202
A ended 201 -> 202 completed
