# Ani and Citra listen to announcements; a server bridges them.
A started 201 -> (230)
A answered 201 -> 203
A ended 201 -> 203 completed
