# A queue whose member is a Local channel; Citra hangs up.
A started 201 -> (221)
A ringing 201 -> 203
A answered 201 -> 203
A ended 201 -> 203 completed
