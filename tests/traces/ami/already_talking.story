# The trace begins in the middle of the call, with a list of channels.
A started 201 -> (202)
A answered 201 -> 202
A ended 201 -> 202 completed
