"""How the NTK aligns with the labels, and how far an update turns its eigenvectors (App. E.3).

Matrices are NTKs Θ (N, N), N = d·n, row i·n + k output k of sample i; the lower triangle counts.
"""

from typing import NamedTuple

import numpy as np

from ntklens.spectrum.lapack import top_eigenvectors


class Alignments(NamedTuple):
    """The alignment of one NTK with the labels, and its misalignment with the NTK one update later."""

    label_alignment: float
    summed_label_alignment: float
    misalignment_as_printed: float
    misalignment_sign_matched: float
    misalignment_basis_free: float


def alignments(before, after, labels, count):
    """The `Alignments` of Θ ``before`` an update and its top ``count`` eigenvectors' with Θ ``after`` it.

    ``labels`` (d,) are the samples' classes. NaN where an NTK is not finite, as a diverged network's.
    """
    turned = (np.nan, np.nan, np.nan)
    if np.isfinite(np.tril(before)).all() and np.isfinite(np.tril(after)).all():
        turned = misalignments(top_eigenvectors(before, count), top_eigenvectors(after, count))
    return Alignments(label_alignment(before, labels), summed_label_alignment(before, labels), *turned)


def label_alignment(theta, labels):
    """⟨Θ, yyᵀ⟩_F / (‖Θ‖_F ‖yyᵀ‖_F), y = vec(Y) the (N,) one-hot labels (Eq. 16, with every output).

    From 0 to 1, the latter for Θ ∝ yyᵀ.
    """
    outputs = len(theta) // len(labels)
    rows = np.arange(len(labels)) * outputs + labels  # where y is one
    aligned = np.sum(_symmetric(theta[np.ix_(rows, rows)]), dtype=np.float64)
    return float(aligned / (_frobenius_norm(theta) * len(labels)))


def summed_label_alignment(theta, labels):
    """As `label_alignment`, of Σ_k Θ_ik,jk (d, d), the sum over outputs, with YYᵀ (Eq. 16 as it stands)."""
    samples = len(labels)
    outputs = len(theta) // samples
    summed = _symmetric(np.einsum("ikjk->ij", theta.reshape(samples, outputs, samples, outputs)))
    same_class = labels[:, None] == labels[None, :]
    norm = np.linalg.norm(summed.astype(np.float64)) * np.sqrt(same_class.sum())
    return float(np.sum(summed[same_class], dtype=np.float64) / norm)


def misalignments(before, after):
    """Eq. 17 in three forms, for eigenvectors (k, N), a row a vector, before and after an update.

    1 − ⟨Q, Q'⟩_F / (‖Q‖_F ‖Q'‖_F) as it stands, with the signs that the solver gave; with the sign of each
    vector set to match its predecessor; and 1 − ‖Q Q'ᵀ‖²_F / k, which depends on the spanned spaces alone.
    """
    count = len(before)
    overlap = before.astype(np.float64) @ after.T.astype(np.float64)
    own = np.diagonal(overlap)
    return (
        float(1 - own.sum() / count),
        float(1 - np.abs(own).sum() / count),
        float(1 - np.sum(overlap**2) / count),
    )


def _symmetric(lower):
    """The symmetric matrix of which ``lower`` holds the lower triangle."""
    triangle = np.tril(lower)
    return triangle + np.tril(triangle, -1).T


def _frobenius_norm(lower):
    """The Frobenius norm of the symmetric matrix of which ``lower`` holds the lower triangle."""
    triangle = np.linalg.norm(np.tril(lower)).astype(np.float64)
    return np.sqrt(2 * triangle**2 - np.sum(np.diagonal(lower).astype(np.float64) ** 2))
