"""Symmetric matrices of which one triangle is given: the entries above the diagonal are never used."""

import numpy as np
from jaxtyping import Float

BLOCK = 64  # rows that are copied at once: both blocks of a copy stay in a core's cache


def symmetric(lower: Float[np.ndarray, "N N"]) -> Float[np.ndarray, "N N"]:
    """A new symmetric matrix whose lower triangle is that of ``lower``."""
    full = np.array(lower, order="C")
    for start in range(0, len(full), BLOCK):
        rows = slice(start, start + BLOCK)
        corner = np.tril(full[rows, rows])
        full[rows, rows] = corner + np.tril(corner, -1).T
        full[:start, rows] = full[rows, :start].T
    return full


def is_finite(lower: Float[np.ndarray, "N N"]) -> bool:
    """Whether every entry on and below the diagonal of ``lower`` is finite."""
    # One pass without a temporary array decides the usual case. Its sum also overflows on huge entries, and
    # is not finite if an entry above the diagonal is not.
    return bool(np.isfinite(np.vdot(lower, lower)) or np.isfinite(np.tril(lower)).all())
