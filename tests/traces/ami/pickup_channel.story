# The same with PickupChan().
A started 201 -> (202)
A ringing 201 -> 202
A answered 201 -> 203
A ended 201 -> 203 completed
