# Ani calls Budi, then Citra, and joins the two; the conversation is that of the first call.
A started 201 -> (202)
A ringing 201 -> 202
A answered 201 -> 202
B started 201 -> (203)
B ringing 201 -> 203
B answered 201 -> 203
A transferred 202 -> 203 by 201 attended
B ended 201 -> 203 completed
A ended 202 -> 203 completed
