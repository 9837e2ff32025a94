"""The effective rank of a spectrum (Eq. 3). It needs only NumPy: analyses and figures use no solver."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Real

EIGENVALUE_FLOOR = 1e-14  # a semi-definite matrix has small negative eigenvalues in floating point


# `Any` stands for an array of JAX or NumPy: naming JAX's would import JAX.
def effective_rank(
    eigenvalues: Real[Any, "*spectra N"] | Sequence[Any],
) -> Float[np.ndarray | np.float64, "*spectra"]:
    """The effective rank Γ = exp(−Σ p ln p) of each spectrum, p being its eigenvalues over their sum (Eq. 3).

    The last axis holds the N eigenvalues of one spectrum. They are clipped at 1e-14 first, so 1 ≤ Γ ≤ N.
    """
    clipped = np.maximum(np.asarray(eigenvalues, dtype=np.float64), EIGENVALUE_FLOOR)
    shares = clipped / clipped.sum(axis=-1, keepdims=True)
    return np.exp(-np.sum(shares * np.log(shares), axis=-1))
