"""The key quantities along one curve, and the laws fitted to them.

Every quantity is a *series*: scale, mean and standard error over the seeds, as lists.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TypeAlias, TypedDict

import numpy as np

from ntklens.analysis.averages import standard_error
from ntklens.analysis.laws import (
    BrokenPowerLaw,
    LimitedPowerLaw,
    PowerLaw,
    fit_broken_power_law,
    fit_limited_power_law,
    fit_power_law,
)
from ntklens.storage.averages import Average

Law: TypeAlias = dict[str, float | None]  # a law's parameters and their errors, by name


class Series(TypedDict):
    """One quantity along a curve. ``error`` is None if the quantity has none."""

    scale: list[int]
    mean: list[float]
    error: list[float] | None


class FittedSeries(Series):
    """A series with its power laws; each is None if it was not fitted."""

    power_law: Law | None
    limited_power_law: Law | None


class BentSeries(FittedSeries):
    """A fitted series with its broken power law, or the reason why it has none."""

    broken_power_law: Law | None
    no_bend_because: str


PER_SEED = ("test_loss", "effective_rank", "initial_trace", "trace_ratio")  # at each seed's minimum


def summarise(averages: Sequence[Average], adaptation_rates: Sequence[float]) -> dict[str, Series]:
    """The series of every quantity along one curve, by name.

    ``adaptation_rates`` are χ at the minimum of the mean test loss. Their series holds −χ, and no error,
    since χ is computed from ensemble means (App. B.4).
    """
    scale = [average.scale for average in averages]
    per_seed = {name: [average.minimum[name] for average in averages] for name in PER_SEED}
    summary: dict[str, Series] = {
        name: {
            "scale": scale,
            "mean": [float(np.mean(v)) for v in values],
            "error": [float(standard_error(v)) for v in values],
        }
        for name, values in per_seed.items()
    }
    summary["adaptation_rate"] = {
        "scale": scale,
        "mean": [-rate for rate in adaptation_rates],
        "error": None,
    }
    return summary


def fit_summary(series: Series) -> FittedSeries:
    """``series`` with its power law, and a power law with a limit if it fits significantly better."""
    return {
        **series,
        "power_law": _fitted(fit_power_law, series),
        "limited_power_law": _fitted(fit_limited_power_law, series),
    }


def fit_bend(series: FittedSeries) -> BentSeries:
    """``series`` with its broken power law, or None and the reason if no bend is identified."""
    try:
        law, reason = fit_broken_power_law(series["scale"], series["mean"])
    except ValueError as error:
        law, reason = None, str(error)
    return {**series, "broken_power_law": _parameters(law), "no_bend_because": reason}


def _fitted(
    fit: Callable[[list[int], list[float]], PowerLaw | LimitedPowerLaw | None], series: Series
) -> Law | None:
    """The parameters of the fitted law, or None if the series has too few points or changes sign."""
    try:
        law = fit(series["scale"], series["mean"])
    except ValueError:
        law = None
    return _parameters(law)


def _parameters(law: PowerLaw | LimitedPowerLaw | BrokenPowerLaw | None) -> Law | None:
    return None if law is None else asdict(law)
