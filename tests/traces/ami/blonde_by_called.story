# Budi calls Citra and joins Ani while it still rings; Citra answers.
A started 201 -> (202)
A ringing 201 -> 202
A answered 201 -> 202
B started 202 -> (203)
B ringing 202 -> 203
A transferred 201 -> 203 by 202 blonde
B ended 202 -> 203 completed
A answered 201 -> 203
A ended 201 -> 203 completed
