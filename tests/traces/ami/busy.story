# Budi's telephone rings, then says busy (486).
A started 201 -> (202)
A ringing 201 -> 202
A ended 201 -> 202 busy
