"""The effective rank of a spectrum (Eq. 3). NumPy suffices: analyses and figures need no solver."""

import numpy as np

EIGENVALUE_FLOOR = 1e-14  # a semi-definite matrix has small negative eigenvalues in floating point


def effective_rank(eigenvalues):
    """Γ = exp(−Σ p ln p) along the last axis, p the eigenvalues' shares of their sum (Eq. 3).

    Eigenvalues are clipped at 1e-14 first: 1 ≤ Γ ≤ the number of eigenvalues.
    """
    clipped = np.maximum(np.asarray(eigenvalues, dtype=np.float64), EIGENVALUE_FLOOR)
    shares = clipped / clipped.sum(axis=-1, keepdims=True)
    return np.exp(-np.sum(shares * np.log(shares), axis=-1))
