# Budi does not answer, the voice mail does: nobody was reached.
A started 201 -> (214)
A ringing 201 -> 202
A ended 201 -> 202 no_answer
