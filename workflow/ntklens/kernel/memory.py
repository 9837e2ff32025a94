"""How much memory an NTK may take. This module imports no JAX, so that estimates can use the number too."""

PIECES_MEMORY = 2**30  # bytes, for the pieces of the Jacobian
