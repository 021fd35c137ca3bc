# A Local channel that removes itself after the answer: nothing changes for the two.
A started 201 -> (217)
A ringing 201 -> 203
A answered 201 -> 203
A ended 201 -> 203 completed
