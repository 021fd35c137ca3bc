# The dialplan gives up after a second; Ani is still there.
A started 201 -> (215)
A ringing 201 -> 202
A ended 201 -> 202 no_answer
