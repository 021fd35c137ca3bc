# The caller hangs up while the members' telephones ring.
A started 201 -> (220)
A ringing 201 -> 202
A ringing 201 -> 202,203
A ended 201 -> 202,203 cancelled
