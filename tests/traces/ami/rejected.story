# Budi declines (603) while it rings.
A started 201 -> (202)
A ringing 201 -> 202
A ended 201 -> 202 rejected
