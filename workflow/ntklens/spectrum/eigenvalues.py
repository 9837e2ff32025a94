"""The spectrum of the normalised NTK and its effective rank (Eq. 3, App. B.3)."""

from functools import cache

import numpy as np

from ntklens.spectrum import lapack, mkl

EIGENVALUE_FLOOR = 1e-14  # a semi-definite matrix has small negative eigenvalues in floating point


def normalised(theta):
    """Θ̂_ij = Θ_ij / √(Θ_ii Θ_jj), (N, N): unit diagonal, so the trace is N (App. B.3).

    A row of zeros (an output that no parameter moves) stays zero.
    """
    scale = np.sqrt(np.diagonal(theta))
    inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
    return theta * inverse[:, None] * inverse[None, :]


def eigenvalues(matrix):
    """Eigenvalues (N,), ascending, of a symmetric ``matrix`` (N, N), float32 or float64, in that precision.

    Only the lower triangle is read. NaN throughout where that has an entry that is not finite, as a
    diverged network's has. By MKL where it is installed, else by scipy's LAPACK: equal up to rounding.
    """
    if not np.isfinite(np.tril(matrix)).all():
        return np.full(len(matrix), np.nan, matrix.dtype)
    return _solver()(matrix)


@cache
def _solver():
    library = mkl.installed_library()
    return mkl.mkl_solver(library) if library else lapack.scipy_solver()


def effective_rank(eigenvalues):
    """Γ = exp(−Σ p ln p) along the last axis, p the eigenvalues' shares of their sum (Eq. 3).

    Eigenvalues are clipped at 1e-14 first: 1 ≤ Γ ≤ the number of eigenvalues.
    """
    clipped = np.maximum(np.asarray(eigenvalues, dtype=np.float64), EIGENVALUE_FLOOR)
    shares = clipped / clipped.sum(axis=-1, keepdims=True)
    return np.exp(-np.sum(shares * np.log(shares), axis=-1))
