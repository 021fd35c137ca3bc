# Budi's telephone rings in vain, then Citra's; she answers.
A started 201 -> (213)
A ringing 201 -> 202
A ringing 201 -> 203
A answered 201 -> 203
A ended 201 -> 203 completed
