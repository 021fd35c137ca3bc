# As blonde_by_called, but Citra's telephone says busy.
A started 201 -> (202)
A ringing 201 -> 202
A answered 201 -> 202
B started 202 -> (203)
B ringing 202 -> 203
A transferred 201 -> 203 by 202 blonde
B ended 202 -> 203 completed
A ended 201 -> 203 busy
