# The same as blind_by_called, by the AMI action BlindTransfer.
A started 201 -> (202)
A ringing 201 -> 202
A answered 201 -> 202
A transferred 201 -> 203 by 202 blind
A answered 201 -> 203
A ended 201 -> 203 completed
