"""The laws of one quantity along one curve, with intervals: the `ntklens.analysis.records` of all fits."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from jaxtyping import Bool, Float

from ntklens.analysis.fitting import BentFits, PowerFits, fit_bent_laws, fit_power_laws
from ntklens.analysis.intervals import ends, exponential, interval, numbers
from ntklens.analysis.laws import LIMITED, OFFSET, SATURATING, TRACE_RATIO, Form
from ntklens.analysis.model_choice import choose
from ntklens.analysis.records import BentLawRecord, Laws, Measured, PowerLawRecord
from ntklens.analysis.series import Series

# The bent laws of each quantity. Γ, −χ and β rise along some axes and fall along others (`forms_of`).
BENT_FORMS: dict[str, tuple[Form, ...]] = {
    "test_loss": (LIMITED,),
    "effective_rank": (SATURATING, LIMITED),
    "initial_trace": (OFFSET,),
    "trace_gain": (SATURATING, LIMITED),
    "trace_ratio": (TRACE_RATIO,),
    "mean_trace_ratio": (TRACE_RATIO,),
    "adaptation_rate": (SATURATING, LIMITED),
}
OCTAVES = 2  # of the slope at the largest scales

Fitted = TypeVar("Fitted")


def laws_of(
    name: str, series: Series, generator: np.random.Generator, forms: Sequence[Form] | None = None
) -> Laws:
    """The `Laws` of the quantity ``name``, bent ones of its own or of these ``forms``.

    ``generator`` draws the simulations of the choice.
    """
    forms, all_points = forms or forms_of(name, series), np.ones(len(series.scale), dtype=bool)
    last_points = series.scale * 2**OCTAVES >= series.scale[-1]
    reasons = [problem] if (problem := _problem(series)) else []

    def fitted(fit: Callable[[], Fitted | None]) -> Fitted | None:
        """The fit, or None and its reason among the ``reasons``."""
        if problem:
            return None
        try:
            return fit()
        except ValueError as error:
            reasons.append(str(error))
            return None

    return {
        **measured(series),
        "power_law": fitted(lambda: power_law_of(series, all_points)),
        "last_octaves": fitted(lambda: power_law_of(series, last_points)),
        "bent_law": fitted(lambda: bent_law_of(forms, series)),
        "choice": fitted(lambda: choose(series, forms, len(series.resampled), generator)),
        "no_law_because": reasons[0] if reasons else "",
    }


def forms_of(name: str, series: Series) -> tuple[Form, ...]:
    """The bent laws of the quantity ``name``. Of β that rises, as with data, they are those of the gain."""
    rises = name in ("trace_ratio", "mean_trace_ratio") and series.value[-1] > series.value[0]
    return BENT_FORMS["trace_gain" if rises else name]


def _problem(series: Series) -> str:
    """Why the series has no laws at all, or nothing."""
    if np.any(series.scale <= 0):
        return "scale 0 has no logarithm"
    if not np.all(np.isfinite(series.value)):
        return f"it is not defined at scale {series.scale[~np.isfinite(series.value)][0]}"
    if np.any(series.value <= 0):
        return f"it is not positive at scale {series.scale[series.value <= 0][0]}"
    return ""


def measured(series: Series) -> Measured:
    """The series as lists, with the interval of each value."""
    unknown = np.full(len(series.scale), np.nan)
    low, high = ends(series.resampled) if len(series.resampled) else (unknown, unknown)
    return {
        "scale": series.scale.tolist(),
        "mean": numbers(series.value),
        "error": numbers(series.error),
        "low": numbers(np.asarray(low)),
        "high": numbers(np.asarray(high)),
    }


def power_law_of(series: Series, chosen: Bool[np.ndarray, " points"]) -> PowerLawRecord:
    """The power law of the ``chosen`` points. Raises ValueError for fewer than two."""
    fits = _power_fits(series, chosen)
    own = series.scale[chosen]
    return {
        "amplitude": float(np.exp(fits.log_amplitude[0])),
        "exponent": interval(fits.exponent[0], fits.exponent[1:]),
        "window": [int(own[0]), int(own[-1])],
    }


def _power_fits(series: Series, chosen: Bool[np.ndarray, " points"]) -> PowerFits:
    rows = log_rows(series)[:, chosen]
    return fit_power_laws(np.log(series.scale[chosen]), rows, series.variances.weights[chosen])


def bent_law_of(forms: Sequence[Form], series: Series) -> BentLawRecord:
    """The best of ``forms`` for the measured values. Raises ValueError for too few scales."""
    fits = [(form, bent_fits(form, series)) for form in forms]
    form, best = min(fits, key=lambda fit: float(fit[1].squares[0]))
    return {
        "form": form.name,
        "level": exponential(interval(best.log_level[0], best.log_level[1:])),
        "bend": exponential(interval(best.log_bend[0], best.log_bend[1:])),
        "power": interval(best.power[0], best.power[1:]) if form.fitted_power else None,
        "squares": float(best.squares[0]),
        "freedom": len(series.scale) - 2 - form.fitted_power,
        "window": [int(series.scale[0]), int(series.scale[-1])],
    }


def bent_fits(form: Form, series: Series) -> BentFits:
    """The fits of one ``form``: of the measured values in row 0, and then of every resample."""
    return fit_bent_laws(form, np.log(series.scale), log_rows(series), series.variances.weights)


def log_rows(series: Series) -> Float[np.ndarray, "rows points"]:
    """The logarithms of the measured values in row 0, and then of every resample; NaN if not positive."""
    with np.errstate(all="ignore"):
        rows = np.log(np.concatenate([series.value[None], series.resampled]))
    return np.where(np.isfinite(rows), rows, np.nan)
