"""What training changes between initialisation and minimum, along one curve, with intervals: ends.json.

Figures 9 and 10 draw it. Every number is a mean over members, or a ratio of two means, with an interval from
resamples of whole members. Numbers by layer have one list for each layer, in the order of ``layers``.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypedDict

import numpy as np
from jaxtyping import Float

from ntklens.analysis.intervals import ends, numbers
from ntklens.analysis.resampling import factor_of_mean, widened
from ntklens.analysis.series import weights_of
from ntklens.analysis.settings import AnalysisSettings
from ntklens.storage.averages import Average
from ntklens.storage.quantities import DISTANCES, LOSS_POSITION, OF_ENDS

Numbers: TypeAlias = list[float | None]
# ⟨over⟩ / ⟨under⟩ of the members at one point; ``under`` is 1 for a mean.
Fraction: TypeAlias = tuple[Float[np.ndarray, " members *layers"], Float[np.ndarray, " members *layers"]]


class Values(TypedDict):
    """A number at every scale with the ends of its interval; None where it is undefined or the end open."""

    value: Numbers
    low: Numbers
    high: Numbers


class Ends(TypedDict):
    """Numbers at both ends of training and between them, by name; lists of `Values` are by layer."""

    scale: list[int]
    layers: list[str]
    initial: dict[str, Values | list[Values]]
    minimum: dict[str, Values | list[Values]]
    between: dict[str, Values | list[Values]]


def ends_of(averages: Sequence[Average], settings: AnalysisSettings) -> Ends:
    """The `Ends` of a curve whose training followed the minimum of the test loss.

    Values by layer are absent where members have none, as convolutional networks, and where networks have
    other layers at another scale, as along the depth.
    """
    weights = weights_of(averages, settings)

    def along(fraction_of: Callable[[Average], Fraction]) -> Values | list[Values]:
        points = [_rows(*fraction_of(own), w) for own, w in zip(averages, weights, strict=True)]
        return _values(np.stack(points, axis=1))

    def mean(part: str, name: str) -> Values | list[Values]:
        return along(lambda average: _mean(getattr(average, part)[name]))

    same_layers = all(average.layers == averages[0].layers for average in averages)
    by_layer = "layer_traces" in averages[0].initial and same_layers
    at_both = [
        name
        for name in ("effective_rank", *LOSS_POSITION, *OF_ENDS)
        if name in averages[0].initial and (same_layers or averages[0].initial[name].ndim == 1)
    ]
    between = {name: mean("minimum", name) for name in DISTANCES if name in averages[0].minimum}
    if by_layer:
        between["layer_trace_ratio"] = along(lambda average: _gain(average, "layer_traces"))
    if "weighted_trace" in at_both:
        between["weighted_trace_ratio"] = along(lambda average: _gain(average, "weighted_trace"))
    found: Ends = {
        "scale": [average.scale for average in averages],
        "layers": list(averages[0].layers) if by_layer else [],
        "initial": {name: mean("initial", name) for name in at_both},
        "minimum": {name: mean("minimum", name) for name in at_both},
        "between": between,
    }
    found["initial"]["ntk_trace"] = along(lambda average: _mean(average.minimum["initial_trace"]))
    found["minimum"]["ntk_trace"] = along(lambda average: _mean(_trace_at_minimum(average)))
    if by_layer:
        for part in ("initial", "minimum"):
            found[part]["trace_share"] = along(lambda average, part=part: _share(getattr(average, part)))
    return found


def _mean(values: Float[np.ndarray, " members *layers"]) -> Fraction:
    return values.astype(np.float64), np.ones(values.shape)


def _trace_at_minimum(average: Average) -> Float[np.ndarray, " members"]:
    return average.minimum["initial_trace"] * (1 + average.minimum["trace_ratio"])


def _gain(average: Average, name: str) -> Fraction:
    """(⟨T_min⟩ − ⟨T_0⟩) / ⟨T_0⟩ of a trace T."""
    initial = average.initial[name].astype(np.float64)
    return average.minimum[name].astype(np.float64) - initial, initial


def _share(part: dict[str, np.ndarray]) -> Fraction:
    """Each layer's share of the trace: ⟨Tr Θ_l⟩ / ⟨Tr Θ⟩."""
    traces = part["layer_traces"].astype(np.float64)
    return traces, np.broadcast_to(traces.sum(axis=1, keepdims=True), traces.shape)


def _rows(
    over: Float[np.ndarray, " members *layers"],
    under: Float[np.ndarray, " members *layers"],
    weights: Float[np.ndarray, "resamples members"],
) -> Float[np.ndarray, " rows *layers"]:
    """⟨over⟩ / ⟨under⟩, and its resamples."""
    with np.errstate(all="ignore"):
        value = over.mean(axis=0) / under.mean(axis=0)
        resampled = np.tensordot(weights, over, axes=1) / np.tensordot(weights, under, axes=1)
    return np.concatenate(
        [np.asarray(value)[None], widened(resampled, np.asarray(value), factor_of_mean(len(over)))]
    )


def _values(rows: Float[np.ndarray, " rows points *layers"]) -> Values | list[Values]:
    """The numbers with their intervals."""
    if rows.ndim == 3:
        return [_of_layer(rows[:, :, layer]) for layer in range(rows.shape[2])]
    return _of_layer(rows)


def _of_layer(rows: Float[np.ndarray, "rows points"]) -> Values:
    unknown = np.full(rows.shape[1], np.nan)
    low, high = ends(rows[1:]) if len(rows) > 1 else (unknown, unknown)
    return {"value": numbers(rows[0]), "low": numbers(np.asarray(low)), "high": numbers(np.asarray(high))}
