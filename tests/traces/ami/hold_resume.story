# Budi puts Ani on hold and takes her back.
A started 201 -> (202)
A ringing 201 -> 202
A answered 201 -> 202
A held 201 -> 202 by 202
A resumed 201 -> 202 by 202
A ended 201 -> 202 completed
