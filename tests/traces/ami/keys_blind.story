# Budi sends Ani to Citra with #1; she hears music while he dials.
A started 201 -> (202)
A ringing 201 -> 202
A answered 201 -> 202
A held 201 -> 202 by 202
A transferred 201 -> 203 by 202 blind
A answered 201 -> 203
A ended 201 -> 203 completed
