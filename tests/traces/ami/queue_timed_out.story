# Nobody answers, the queue gives up after three seconds.
A started 201 -> (222)
A ringing 201 -> 202,203
A ended 201 -> 202,203 no_answer
