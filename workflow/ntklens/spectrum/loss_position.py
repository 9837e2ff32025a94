"""The decomposition of the loss's gradient into loss, network and position (arXiv 2605.31244).

With L the mean cross-entropy of d samples, f their N = d·n outputs, g = ∂L/∂f and Θ their NTK,

    ‖∇L‖² = gᵀΘg = χ_loss · χ_net · position,

where χ_loss = ‖g‖² is the loss's susceptibility, χ_net = Tr Θ the network's, and the spectral position
gᵀΘg / (‖g‖² Tr Θ), between 0 and 1, tells where in the NTK's spectrum the gradient g lies.
"""

from typing import Any, NamedTuple, cast

import numpy as np
from jaxtyping import Float, Integer
from scipy.linalg import get_blas_funcs as _untyped  # pyright: ignore

get_blas_funcs = cast(Any, _untyped)


class LossPosition(NamedTuple):
    """Two of the three factors of ‖∇L‖²; the third is Tr Θ."""

    loss_susceptibility: float  # χ_loss = ‖g‖²
    spectral_position: float  # gᵀΘg / (‖g‖² Tr Θ)


def loss_position(
    theta: Float[np.ndarray, "N N"], outputs: Float[np.ndarray, "d n"], labels: Integer[np.ndarray, " d"]
) -> LossPosition:
    """The `LossPosition` of samples with the NTK ``theta``, ``outputs`` and ``labels``.

    Only the lower triangle of ``theta`` is read. The values are NaN where they are not defined: for a
    network whose outputs are not finite, and the position where the gradient or the NTK vanishes.
    """
    gradient = loss_gradient(outputs, labels)
    susceptibility = float(gradient @ gradient)
    trace = np.sum(np.diagonal(theta), dtype=np.float64)
    multiply = get_blas_funcs("symv", (theta,))
    # BLAS sees a matrix stored by rows as its transpose: the lower triangle is its upper one.
    image = multiply(1.0, theta.T, gradient.astype(theta.dtype), lower=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        position = np.float64(gradient @ image) / (susceptibility * trace)
    return LossPosition(susceptibility, float(position))


def loss_gradient(
    outputs: Float[np.ndarray, "d n"], labels: Integer[np.ndarray, " d"]
) -> Float[np.ndarray, " N"]:
    """∂L/∂f = (softmax f − Y) / d for the mean cross-entropy L, sample-major, in double precision."""
    double = outputs.astype(np.float64)
    with np.errstate(invalid="ignore"):
        gradient = np.exp(double - double.max(axis=1, keepdims=True))
        gradient /= gradient.sum(axis=1, keepdims=True)
    gradient[np.arange(len(labels)), labels] -= 1
    return gradient.ravel() / len(labels)
