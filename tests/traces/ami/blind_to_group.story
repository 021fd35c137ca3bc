# Dewi (204) sends Ani to a group; Citra answers.
A started 201 -> (204)
A ringing 201 -> 204
A answered 201 -> 204
A transferred 201 -> 202,203 by 204 blind
A answered 201 -> 203
A ended 201 -> 203 completed
