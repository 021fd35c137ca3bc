# There is no telephone 205.
A started 201 -> (205)
A ended 201 -> (205) failed
