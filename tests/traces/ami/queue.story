# A queue rings both its members, Citra answers.
A started 201 -> (220)
A ringing 201 -> 202
A ringing 201 -> 202,203
A answered 201 -> 203
A ended 201 -> 203 completed
