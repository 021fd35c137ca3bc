# Budi sends Ani to a telephone that is not there: nobody rings, so nothing was transferred.
A started 201 -> (202)
A ringing 201 -> 202
A answered 201 -> 202
A ended 201 -> 202 completed
