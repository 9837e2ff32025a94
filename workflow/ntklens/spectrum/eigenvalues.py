"""The normalised NTK and the eigenvalues of a kernel, computed on the CPU (App. B.3)."""

from collections.abc import Sequence
from typing import Any, TypeVar, overload

import numpy as np
from jaxtyping import Array, Float

from ntklens.spectrum import lapack
from ntklens.spectrum.triangles import is_finite

Matrix = TypeVar("Matrix", Array, np.ndarray)


@overload
def normalised(theta: Float[Matrix, "N N"]) -> Float[Matrix, "N N"]: ...
@overload
def normalised(theta: Sequence[Sequence[float]]) -> Float[np.ndarray, "N N"]: ...
def normalised(theta: Float[Any, "N N"] | Sequence[Any]) -> Float[Any, "N N"]:
    """The normalised NTK Θ̂_ij = Θ_ij / √(Θ_ii Θ_jj): its diagonal is one, so its trace is N (App. B.3).

    A row of zeros (an output that no parameter moves) stays zero. Raises ValueError if ``theta`` is not a
    square matrix of real numbers, has a mask, or has a negative number on its diagonal: it is then no kernel.
    """
    if isinstance(theta, np.ma.MaskedArray):
        raise ValueError(
            "theta is a masked array, whose mask would be ignored: a real square matrix is needed"
        )
    if isinstance(theta, Sequence):
        theta = np.asarray(theta, np.float64)
    if theta.ndim != 2 or theta.shape[0] != theta.shape[1] or np.iscomplexobj(theta):
        raise ValueError(f"theta is a {theta.dtype} array {theta.shape}: a real square matrix is needed")
    if np.any(np.diagonal(theta) < 0):
        raise ValueError("theta has a negative number on its diagonal: it is no kernel J Jᵀ")
    scale = np.sqrt(np.diagonal(theta))
    inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
    result = theta * inverse[:, None]
    result *= inverse[None, :]
    return result


def eigenvalues(matrix: Float[Array | np.ndarray, "N N"]) -> Float[np.ndarray, " N"]:
    """Eigenvalues of a symmetric ``matrix`` of float32 or float64, ascending, in that precision.

    Only the lower triangle is read. If it has an entry that is not finite, as that of a diverged network has,
    all eigenvalues are NaN. Raises as `lapack.eigenvalues`.
    """
    matrix = np.asarray(matrix)
    if not is_finite(matrix):
        return np.full(len(matrix), np.nan, matrix.dtype)
    return lapack.eigenvalues(matrix)
