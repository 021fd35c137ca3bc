# Ani and Citra both call Budi, who sends the second caller to the first.
A started 201 -> (202)
A ringing 201 -> 202
A answered 201 -> 202
B started 203 -> (202)
B ringing 203 -> 202
B answered 203 -> 202
B transferred 203 -> 201 by 202 attended
A ended 201 -> 202 completed
B ended 203 -> 201 completed
