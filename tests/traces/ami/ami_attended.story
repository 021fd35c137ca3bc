# The same as keys_attended, started by the AMI action Atxfer.
A started 201 -> (202)
A ringing 201 -> 202
A answered 201 -> 202
A held 201 -> 202 by 202
B started 202 -> (203)
B ringing 202 -> 203
B answered 202 -> 203
A transferred 201 -> 203 by 202 attended
B ended 202 -> 203 completed
A ended 201 -> 203 completed
