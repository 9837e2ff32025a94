"""Each layer's share of the NTK, and the effective ranks of its two factors, computed on the CPU.

The piece of the Jacobian that belongs to a Dense layer follows from its input X, one row for each of the d
samples, and its sensitivity S, one row for each of the N = d·n outputs of the samples
(`ntklens.kernel.jacobian`). With the conjugate kernel C = X Xᵀ of its input (Eq. 10) and its sensitivity
kernel Σ = S Sᵀ (Eq. 13), a layer with a bias adds Σ ∘ ((C + 1) ⊗ 1) to the NTK (Eq. 12).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ntklens.spectrum.effective_rank import effective_rank
from ntklens.spectrum.eigenvalues import eigenvalues


class LayerShare(NamedTuple):
    """A layer's share of the NTK in two parts: that of its kernel, Σ ∘ (C ⊗ 1), and that of its bias, Σ."""

    kernel: Float[np.ndarray, "N N"]
    bias: Float[np.ndarray, "N N"]


def layer_share(inputs: Float[np.ndarray, "d v"], sensitivity: Float[np.ndarray, "N w"]) -> LayerShare:
    """The `LayerShare` of a layer with the factors ``inputs`` and ``sensitivity``."""
    d, rows = len(inputs), len(sensitivity)
    conjugate, bias = inputs @ inputs.T, sensitivity @ sensitivity.T
    kernel = bias.reshape(d, rows // d, d, rows // d) * conjugate[:, None, :, None]
    return LayerShare(kernel.reshape(rows, rows), bias)


def gram_rank(vectors: Float[np.ndarray, "rows v"]) -> float:
    """The effective rank Γ of the normalised Gram matrix of ``vectors``, the matrix of their cosines.

    It is normalised as the NTK is: a vector of zeros has the cosine 0 with all others. With R the vectors at
    length one, R Rᵀ and RᵀR have the same eigenvalues, but for zeros, which do not count: the smaller of the
    two is solved. NaN for vectors that are not finite.
    """
    lengths = np.sqrt(np.einsum("iv,iv->i", vectors, vectors))[:, None]
    units = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths != 0)
    rows, size = units.shape
    return float(effective_rank(eigenvalues(units.T @ units if size < rows else units @ units.T)))
