# Ani calls Citra and joins Budi while it still rings.
A started 201 -> (202)
A ringing 201 -> 202
A answered 201 -> 202
B started 201 -> (203)
B ringing 201 -> 203
A transferred 202 -> 203 by 201 blonde
B ended 201 -> 203 completed
A answered 202 -> 203
A ended 202 -> 203 completed
