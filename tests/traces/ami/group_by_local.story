# The same through a Local channel for each telephone.
A started 201 -> (211)
A ringing 201 -> 202,203
A answered 201 -> 203
A ended 201 -> 203 completed
