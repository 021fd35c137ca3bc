# Budi sends Ani to Citra, who declines.
A started 201 -> (202)
A ringing 201 -> 202
A answered 201 -> 202
A transferred 201 -> 203 by 202 blind
A ended 201 -> 203 rejected
