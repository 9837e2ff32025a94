"""Where trace ratio and effective rank bend along width, read in several ways (§5)."""

from typing import NamedTuple

import numpy as np

from ntklens.analysis.by_eye import by_eye
from ntklens.analysis.curve_laws import bent_fits, log_rows
from ntklens.analysis.fitting import fit_power_laws
from ntklens.analysis.initial_trace import InitialTrace
from ntklens.analysis.intervals import Interval, exponential, interval
from ntklens.analysis.laws import SATURATING, TRACE_RATIO
from ntklens.analysis.records import Expectation, EyeReading, Prediction, Side
from ntklens.analysis.series import Series
from ntklens.storage.files import FilePath
from ntklens.storage.records import read_record


class InfiniteWidth(NamedTuple):
    """What infinite-width.json holds: the closed form's numbers, and Γ_∞ on the same NTK samples."""

    initial_trace: InitialTrace
    effective_rank: float


def read_infinite_width(path: FilePath, made_with: str | None = None) -> InfiniteWidth:
    """What infinite_width.py wrote to ``path``, ``made_with`` the settings of this digest; None takes any.

    Raises FileError if the file is damaged or another one, and OSError if it cannot be read.
    """
    content = read_record(path, "infinite width", made_with)
    names = ("inputs", "hidden_layers", "rows", "mean_square_norm")
    return InfiniteWidth(InitialTrace(**{name: content[name] for name in names}), content["effective_rank"])


def eye_reading(series: Series, line_on: Side) -> EyeReading | None:
    """The `EyeReading` of a quantity; None for too few scales or values that are not positive."""
    if np.any(series.scale <= 0) or not np.all(series.value > 0):
        return None
    try:
        slope, meeting = by_eye(np.log(series.scale), log_rows(series), line_on)
    except ValueError:
        return None
    return {
        "exponent": interval(slope[0], slope[1:]),
        "transition": exponential(interval(meeting[0], meeting[1:])),
        "line_on": line_on,
    }


def expected(trace: InitialTrace, series: Series) -> Expectation:
    """The closed form at the scales of ``series``."""
    return {"bend": trace.bend, "initial_trace": trace.at(series.scale).tolist()}


def predicted(trace: InitialTrace, ratio: Series, gain: Series) -> Prediction | None:
    """The `Prediction` of the trace ratio; None if training did not gain trace at every scale."""
    if np.any(gain.scale <= 0) or not np.all(gain.value > 0):
        return None
    weights = gain.variances.weights / gain.variances.weights.sum()
    rows = log_rows(gain)
    log_gain = rows @ weights
    pooled = exponential(interval(log_gain[0], log_gain[1:]))
    slope = None
    if len(gain.scale) > 1:
        fits = fit_power_laws(np.log(gain.scale), rows, gain.variances.weights)
        slope = interval(fits.exponent[0], fits.exponent[1:])
    closed_form = float(np.exp(log_gain[0])) / trace.at(gain.scale)
    return {
        "gain": pooled,
        "gain_exponent": slope,
        "trace_ratio": closed_form.tolist(),
        "squares": _squares(ratio, np.log(closed_form)),
        "points": len(ratio.scale),
    }


def _squares(ratio: Series, log_expected: np.ndarray) -> float | None:
    variances = ratio.variances.pooled
    if not np.all(np.isfinite(variances) & (variances > 0)):
        return None
    return float(np.sum((np.log(ratio.value) - log_expected) ** 2 / variances))


def log_ratio_of_bends(ratio: Series, rank: Series) -> Interval | None:
    """log m_Γ − log m_β, of the same resamples. None where a quantity has no bent law."""
    if np.any(ratio.scale <= 0) or not (np.all(ratio.value > 0) and np.all(rank.value > 0)):
        return None
    try:
        bends = bent_fits(SATURATING, rank).log_bend, bent_fits(TRACE_RATIO, ratio).log_bend
    except ValueError:
        return None
    with np.errstate(invalid="ignore"):  # both censored on the same side: their difference is unknown
        differences = bends[0] - bends[1]
    return interval(differences[0], differences[1:])
