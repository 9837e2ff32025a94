"""How the NTK aligns with the labels, and how far one update turns its eigenvectors (App. E.3).

Matrices are NTKs Θ of N = d·n rows: row i·n + k is output k of sample i. Only their lower triangles are read.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer

from ntklens.spectrum.lanczos import top_eigenvectors
from ntklens.spectrum.triangles import is_finite, symmetric


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
    first = symmetric(before)
    if is_finite(first) and is_finite(after):
        vectors = top_eigenvectors(first, count)
        # One update turns the vectors little: those before it are near those after it.
        turned = misalignments(vectors, top_eigenvectors(symmetric(after), count, vectors))
    return Alignments(_label_alignment(first, labels), _summed_label_alignment(first, labels), *turned)


def label_alignment(theta: Float[np.ndarray, "N N"], labels: Integer[np.ndarray, " d"]) -> float:
    """⟨Θ, yyᵀ⟩_F / (‖Θ‖_F ‖yyᵀ‖_F), where y = vec(Y) are the N one-hot labels (Eq. 16, for all outputs).

    It lies between 0 and 1, and is 1 for Θ ∝ yyᵀ.
    """
    return _label_alignment(symmetric(theta), labels)


def summed_label_alignment(theta: Float[np.ndarray, "N N"], labels: Integer[np.ndarray, " d"]) -> float:
    """The alignment of Σ_k Θ_ik,jk, the d × d sum over outputs, with YYᵀ (Eq. 16 as printed)."""
    return _summed_label_alignment(symmetric(theta), labels)


def misalignments(
    before: Float[np.ndarray, "k N"], after: Float[np.ndarray, "k N"]
) -> tuple[float, float, float]:
    """Eq. 17 in three forms, for the eigenvectors Q ``before`` and Q' ``after`` an update, one per row.

    1. 1 − ⟨Q, Q'⟩_F / (‖Q‖_F ‖Q'‖_F) as printed, with the signs that the vectors have.
    2. The same, with each vector's sign set to match its predecessor.
    3. 1 − ‖Q Q'ᵀ‖²_F / k, which depends only on the spaces that the vectors span.
    """
    before, after = _of_unit_length(before), _of_unit_length(after)
    overlap = before @ after.T
    own = np.diagonal(overlap)
    return (
        float(1 - own.mean()),
        float(1 - np.abs(own).mean()),
        float(1 - np.sum(overlap**2) / len(before)),
    )


def _label_alignment(theta: Float[np.ndarray, "N N"], labels: Integer[np.ndarray, " d"]) -> float:
    """`label_alignment` of a matrix with both triangles."""
    outputs = len(theta) // len(labels)
    rows = np.arange(len(labels)) * outputs + labels  # where y is one
    aligned = np.sum(theta[np.ix_(rows, rows)], dtype=np.float64)
    return float(aligned / (_frobenius_norm(theta) * len(labels)))


def _summed_label_alignment(theta: Float[np.ndarray, "N N"], labels: Integer[np.ndarray, " d"]) -> float:
    """`summed_label_alignment` of a matrix with both triangles."""
    samples = len(labels)
    outputs = len(theta) // samples
    summed = np.einsum("ikjk->ij", theta.reshape(samples, outputs, samples, outputs))
    same_class = labels[:, None] == labels[None, :]
    norm = np.linalg.norm(summed.astype(np.float64)) * np.sqrt(same_class.sum())
    return float(np.sum(summed[same_class], dtype=np.float64) / norm)


def _frobenius_norm(matrix: Float[np.ndarray, "N N"]) -> np.float64:
    """The Frobenius norm; rows are summed in the matrix's precision, and their sums in double precision."""
    return np.sqrt(np.einsum("ij,ij->i", matrix, matrix).sum(dtype=np.float64))


def _of_unit_length(vectors: Float[np.ndarray, "k N"]) -> Float[np.ndarray, "k N"]:
    """``vectors`` in double precision, whose lengths are one but for errors of the solver's precision."""
    double = vectors.astype(np.float64)
    return double / np.linalg.norm(double, axis=1, keepdims=True)
