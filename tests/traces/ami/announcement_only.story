# Ani listens to an announcement: nobody but the PBX is there.
A started 201 -> (230)
A ended 201 -> (230) completed
