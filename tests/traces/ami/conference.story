# Two enter a conference: an application to each of them, not a call between the two.
A started 201 -> (240)
B started 202 -> (240)
A ended 201 -> (240) completed
B ended 202 -> (240) completed
