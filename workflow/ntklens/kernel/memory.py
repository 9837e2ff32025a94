"""How much memory an NTK may take: a number without JAX, so that prices and requests can use it too."""

PIECES_MEMORY = 2**30  # bytes, for J's pieces
