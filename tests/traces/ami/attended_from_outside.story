# A caller from outside is handed from Ani to Citra.
A started 0215550199 -> (0215550101)
A ringing 0215550199 -> 201
A answered 0215550199 -> 201
B started 201 -> (203)
B ringing 201 -> 203
B answered 201 -> 203
A transferred 0215550199 -> 203 by 201 attended
B ended 201 -> 203 completed
A ended 0215550199 -> 203 completed
