# A Local channel stays between the two (/n): it is nobody.
A started 201 -> (212)
A ringing 201 -> 203
A answered 201 -> 203
A ended 201 -> 203 completed
