# Budi parks Ani with #72; Citra fetches her from 701: he sent her on without asking.
A started 201 -> (202)
A ringing 201 -> 202
A answered 201 -> 202
A transferred 201 -> 203 by 202 blind
A answered 201 -> 203
A ended 201 -> 203 completed
