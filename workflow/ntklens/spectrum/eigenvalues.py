"""The normalised NTK and the eigenvalues of a kernel in the computer's own memory (App. B.3)."""

import numpy as np

from ntklens.spectrum import lapack


def normalised(theta):
    """Θ̂_ij = Θ_ij / √(Θ_ii Θ_jj), (N, N): unit diagonal, so the trace is N (App. B.3).

    A row of zeros (an output that no parameter moves) stays zero.
    """
    scale = np.sqrt(np.diagonal(theta))
    inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
    return theta * inverse[:, None] * inverse[None, :]


def eigenvalues(matrix):
    """Eigenvalues (N,), ascending, of a symmetric ``matrix`` (N, N), float32 or float64, in that precision.

    Only the lower triangle is read. The result is NaN throughout if that triangle has an entry that is not
    finite, as a diverged network's has. Threads and errors are as with `lapack.eigenvalues`.
    """
    if not np.isfinite(np.tril(matrix)).all():
        return np.full(len(matrix), np.nan, matrix.dtype)
    return lapack.eigenvalues(matrix)
