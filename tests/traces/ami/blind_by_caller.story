# Ani, who called, sends Budi to Citra.
A started 201 -> (202)
A ringing 201 -> 202
A answered 201 -> 202
A transferred 202 -> 203 by 201 blind
A answered 202 -> 203
A ended 202 -> 203 completed
