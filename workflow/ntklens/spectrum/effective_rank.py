"""The effective rank of a spectrum (Eq. 3). It needs only NumPy: analyses and figures use no solver."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Real

EIGENVALUE_FLOOR = 1e-14  # a semi-definite matrix has small negative eigenvalues in floating point
# Relative to the largest eigenvalue. Larger than any rounding error in float32: the matrix was no kernel.
LARGEST_NEGATIVE_SHARE = 0.01


# `Any` stands for an array of JAX or NumPy: naming JAX's would import JAX.
def effective_rank(
    eigenvalues: Real[Any, "*spectra N"] | Sequence[Any],
) -> Float[np.ndarray | np.float64, "*spectra"]:
    """The effective rank Γ = exp(−Σ p ln p) of each spectrum, p being its eigenvalues over their sum (Eq. 3).

    The last axis holds the N eigenvalues of one spectrum. They are clipped at 1e-14 first, so 1 ≤ Γ ≤ N. A
    spectrum with an eigenvalue that is NaN or +∞, or with none above 1e-14, has the rank NaN. Raises
    ValueError if a spectrum is empty or its negative eigenvalues are too large for rounding errors, and
    TypeError if ``eigenvalues`` are no array of real numbers.
    """
    values = _as_spectra(eigenvalues)
    largest = values.max(axis=-1, keepdims=True)
    known = np.isfinite(values).all(axis=-1, keepdims=True) & (largest > EIGENVALUE_FLOOR)
    # A power of two changes no digit, and keeps the sum below infinity.
    exponent = np.frexp(np.where(known, largest, 1.0))[1]
    clipped = np.ldexp(np.where(known, np.maximum(values, EIGENVALUE_FLOOR), np.nan), -exponent)
    shares = clipped / clipped.sum(axis=-1, keepdims=True)
    return np.exp(-np.sum(shares * np.log(shares), axis=-1))


def _as_spectra(eigenvalues: Any) -> Float[np.ndarray, "*spectra N"]:
    """``eigenvalues`` as float64, checked. Raises ValueError and TypeError as `effective_rank`."""
    if isinstance(eigenvalues, np.ma.MaskedArray):
        raise TypeError(
            "eigenvalues are a masked array, whose mask would be ignored: an array of real numbers is needed"
        )
    try:
        given = np.asarray(eigenvalues)
    except ValueError:  # nested lists of unequal lengths
        given = np.empty(1, object)
    if given.dtype.kind in "cOSUMm":
        raise TypeError(f"eigenvalues of type {given.dtype}: an array of real numbers is needed")
    values = given.astype(np.float64)
    if not values.ndim or not values.shape[-1]:
        raise ValueError(f"eigenvalues of shape {values.shape}: each spectrum needs one or more")
    lowest, largest = values.min(axis=-1), values.max(axis=-1)
    if np.any(lowest < -np.maximum(LARGEST_NEGATIVE_SHARE * largest, EIGENVALUE_FLOOR)):
        raise ValueError(
            f"eigenvalues go down to {np.nanmin(lowest):.6g}: those of a kernel are not negative, but for "
            "rounding errors"
        )
    return values
