"""What the spectrum viewer shows: mean eigenvalues of Θ̂ at each recorded epoch, beside curves along training.

Eigenvalues are counted from the largest. Of the N of them, those at up to `RANKS` ranks are kept, evenly
spaced in the rank's logarithm: on the logarithmic axis no others could be told apart.
"""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from jaxtyping import Float, Int

from ntklens.gallery.drawings import rounded
from ntklens.storage.averages import Average, Mean

RANKS = 128
LONGEST_CURVE = 200  # points
EIGENVALUE_DIGITS, CURVE_DIGITS = 4, 5
LEAST = 1e-14  # eigenvalues are clipped there before Γ is computed
CURVES = ("ntk_trace", "effective_rank", "train_loss", "test_loss", "spectral_position")


class AlongTraining(TypedDict):
    """A mean along training, and of each epoch of spectra the row of the recorded epoch that is nearest."""

    quantity: str
    epoch: list[int]
    mean: list[float | None]
    error: list[float | None]
    rows: list[int]


class SpectrumPoint(TypedDict):
    """One point of a curve. ``eigenvalues`` has a row for each epoch, a column for each of ``ranks``."""

    scale: int
    seeds: int
    size: int  # N
    minimum_epoch: int
    epochs: list[int]
    ranks: list[int]
    eigenvalues: list[list[float]]
    along: list[AlongTraining]


def spectrum_point(average: Average) -> SpectrumPoint:
    """What the viewer shows of one point."""
    spectra = average.along["eigenvalues"]
    descending = np.maximum(spectra.mean[:, ::-1], LEAST)
    ranks = shown_ranks(descending.shape[1])
    return {
        "scale": average.scale,
        "seeds": len(average.seeds),
        "size": descending.shape[1],
        "minimum_epoch": average.minimum_epoch,
        "epochs": spectra.epoch.tolist(),
        "ranks": ranks.tolist(),
        "eigenvalues": [rounded(row, EIGENVALUE_DIGITS) for row in descending[:, ranks - 1]],
        "along": [
            _along(name, average.along[name], spectra.epoch) for name in CURVES if name in average.along
        ],
    }


def shown_ranks(size: int) -> Int[np.ndarray, " ranks"]:
    """At most `RANKS` ranks from 1 to ``size``, evenly spaced in their logarithm as far as whole ones are."""
    if size <= RANKS:
        return np.arange(1, size + 1)
    # Evenly spaced ones among the smallest are no whole numbers, and several become one: so more are tried.
    tried = (np.unique(np.rint(np.geomspace(1, size, number))) for number in range(RANKS, 10 * RANKS, 4))
    return max((ranks for ranks in tried if len(ranks) <= RANKS), key=len).astype(np.int64)


def _along(name: str, mean: Mean, epochs: Int[np.ndarray, " spectra"]) -> AlongTraining:
    kept = _kept(mean.epoch, epochs)
    shown = mean.epoch[kept]
    return {
        "quantity": name,
        "epoch": shown.tolist(),
        "mean": _numbers(mean.mean[kept]),
        "error": _numbers(mean.error[kept]),
        "rows": [int(np.argmin(np.abs(shown - epoch))) for epoch in epochs],
    }


def _kept(
    epochs: Int[np.ndarray, " epochs"], needed: Int[np.ndarray, " spectra"]
) -> Int[np.ndarray, " kept"]:
    """Rows of a curve: evenly spaced ones, and those nearest to the epochs that the slider stops at."""
    even = np.rint(np.linspace(0, len(epochs) - 1, min(len(epochs), LONGEST_CURVE)))
    nearest = [np.argmin(np.abs(epochs - epoch)) for epoch in needed]
    return np.unique(np.concatenate([even, nearest])).astype(np.int64)


def _numbers(values: Float[np.ndarray, " points"] | Sequence[float]) -> list[float | None]:
    return [own if np.isfinite(own) else None for own in rounded(values, CURVE_DIGITS)]
