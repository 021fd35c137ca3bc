# Budi consults Citra with *2 and hangs up while it rings.
A started 201 -> (202)
A ringing 201 -> 202
A answered 201 -> 202
A held 201 -> 202 by 202
B started 202 -> (203)
B ringing 202 -> 203
A transferred 201 -> 203 by 202 blonde
B ended 202 -> 203 completed
A answered 201 -> 203
A ended 201 -> 203 completed
