# Ani answers, Citra's telephone says busy.
A started 201 -> -
A ringing 201 -> 203
A ended 201 -> 203 busy
