# Budi consults Citra with *2; she hangs up, he is back with Ani.
A started 201 -> (202)
A ringing 201 -> 202
A answered 201 -> 202
A held 201 -> 202 by 202
B started 202 -> (203)
B ringing 202 -> 203
B answered 202 -> 203
A resumed 201 -> 202 by 202
B ended 202 -> 203 completed
A ended 201 -> 202 completed
