# Ani declines the call to her own telephone.
A started 201 -> -
A ended 201 -> - rejected
