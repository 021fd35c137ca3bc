# As blonde_by_called, Citra being reached through a Local channel.
A started 201 -> (202)
A ringing 201 -> 202
A answered 201 -> 202
B started 202 -> (217)
B ringing 202 -> 203
A transferred 201 -> 203 by 202 blonde
B ended 202 -> 203 completed
A answered 201 -> 203
A ended 201 -> 203 completed
