# Ani's own telephone is called first, then Citra's: Ani calls Citra.
A started 201 -> -
A ringing 201 -> 203
A answered 201 -> 203
A ended 201 -> 203 completed
