# A group of two rings, Citra (203) answers.
A started 201 -> (210)
A ringing 201 -> 202,203
A answered 201 -> 203
A ended 201 -> 203 completed
