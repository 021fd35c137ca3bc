# Budi's telephone says busy at once: nobody's telephone rang.
A started 201 -> (202)
A ended 201 -> (202) busy
