"""How the NTK aligns with the labels, and how far one update turns its eigenvectors (App. E.3).

Matrices are NTKs Θ of N = d·n rows: row i·n + k is output k of sample i. Only their lower triangles are read.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer

from ntklens.spectrum.lapack import top_eigenvectors


class Alignments(NamedTuple):
    """The alignment of an NTK with the labels, and its misalignment with the NTK one update later."""

    label_alignment: float
    summed_label_alignment: float
    misalignment_as_printed: float
    misalignment_sign_matched: float
    misalignment_basis_free: float


def alignments(
    before: Float[np.ndarray, "N N"],
    after: Float[np.ndarray, "N N"],
    labels: Integer[np.ndarray, " d"],
    count: int,
) -> Alignments:
    """The `Alignments` of the NTKs ``before`` and ``after`` one update.

    ``labels`` are the samples' classes. The misalignments compare the top ``count`` eigenvectors of the two
    NTKs. Where an NTK is not finite, as that of a diverged network, the values that depend on it are NaN.
    """
    turned = (np.nan, np.nan, np.nan)
    if np.isfinite(np.tril(before)).all() and np.isfinite(np.tril(after)).all():
        turned = misalignments(top_eigenvectors(before, count), top_eigenvectors(after, count))
    return Alignments(label_alignment(before, labels), summed_label_alignment(before, labels), *turned)


def label_alignment(theta: Float[np.ndarray, "N N"], labels: Integer[np.ndarray, " d"]) -> float:
    """⟨Θ, yyᵀ⟩_F / (‖Θ‖_F ‖yyᵀ‖_F), where y = vec(Y) are the N one-hot labels (Eq. 16, for all outputs).

    It lies between 0 and 1, and is 1 for Θ ∝ yyᵀ.
    """
    outputs = len(theta) // len(labels)
    rows = np.arange(len(labels)) * outputs + labels  # where y is one
    aligned = np.sum(_symmetric(theta[np.ix_(rows, rows)]), dtype=np.float64)
    return float(aligned / (_frobenius_norm(theta) * len(labels)))


def summed_label_alignment(theta: Float[np.ndarray, "N N"], labels: Integer[np.ndarray, " d"]) -> float:
    """The alignment of Σ_k Θ_ik,jk, the d × d sum over outputs, with YYᵀ (Eq. 16 as printed)."""
    samples = len(labels)
    outputs = len(theta) // samples
    summed = _symmetric(np.einsum("ikjk->ij", theta.reshape(samples, outputs, samples, outputs)))
    same_class = labels[:, None] == labels[None, :]
    norm = np.linalg.norm(summed.astype(np.float64)) * np.sqrt(same_class.sum())
    return float(np.sum(summed[same_class], dtype=np.float64) / norm)


def misalignments(
    before: Float[np.ndarray, "k N"], after: Float[np.ndarray, "k N"]
) -> tuple[float, float, float]:
    """Eq. 17 in three forms, for the eigenvectors Q ``before`` and Q' ``after`` an update, one per row.

    1. 1 − ⟨Q, Q'⟩_F / (‖Q‖_F ‖Q'‖_F) as printed, with the signs that the solver gave the vectors.
    2. The same, with each vector's sign set to match its predecessor.
    3. 1 − ‖Q Q'ᵀ‖²_F / k, which depends only on the spaces that the vectors span.
    """
    count = len(before)
    overlap = before.astype(np.float64) @ after.T.astype(np.float64)
    own = np.diagonal(overlap)
    return (
        float(1 - own.sum() / count),
        float(1 - np.abs(own).sum() / count),
        float(1 - np.sum(overlap**2) / count),
    )


def _symmetric(lower: Float[np.ndarray, "N N"]) -> Float[np.ndarray, "N N"]:
    """The symmetric matrix whose lower triangle is that of ``lower``."""
    triangle = np.tril(lower)
    return triangle + np.tril(triangle, -1).T


def _frobenius_norm(lower: Float[np.ndarray, "N N"]) -> np.float64:
    """The Frobenius norm of the symmetric matrix whose lower triangle is that of ``lower``."""
    triangle = np.linalg.norm(np.tril(lower)).astype(np.float64)
    return np.sqrt(2 * triangle**2 - np.sum(np.diagonal(lower).astype(np.float64) ** 2))
