# Click to dial with a Local channel as the first leg.
A started 201 -> -
A ringing 201 -> 203
A answered 201 -> 203
A ended 201 -> 203 completed
