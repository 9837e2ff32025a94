"""The key quantities along one curve, and the laws fitted to them.

Every quantity is a *series*: scale, mean and standard error over the seeds, in lists.
"""

from dataclasses import asdict

import numpy as np

from ntklens.analysis.averages import standard_error
from ntklens.analysis.laws import fit_broken_power_law, fit_limited_power_law, fit_power_law

PER_SEED = ("test_loss", "effective_rank", "initial_trace", "trace_ratio")  # at each seed's minimum


def summarise(averages, adaptation_rates):
    """The series of one curve's points: quantity name -> series.

    ``adaptation_rates`` are χ at the minimum of the mean test loss; −χ is what is kept. It comes
    from ensemble means and so has no error (App. B.4).
    """
    scale = [average.scale for average in averages]
    per_seed = {name: [average.minimum[name] for average in averages] for name in PER_SEED}
    summary = {
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


def fit_summary(series):
    """``series`` with its power law, and a power law with a limit where the data ask for one."""
    return {
        **series,
        **_fitted("power_law", fit_power_law, series),
        **_fitted("limited_power_law", fit_limited_power_law, series),
    }


def fit_bend(series):
    """A fitted ``series`` with its broken power law, None where no bend is identified, and the reason."""
    try:
        law, reason = fit_broken_power_law(series["scale"], series["mean"])
    except ValueError as error:
        law, reason = None, str(error)
    return {**series, "broken_power_law": law and asdict(law), "no_bend_because": reason}


def _fitted(key, fit, series):
    """The fit's parameters, None where the series has too few points or changes sign."""
    try:
        law = fit(series["scale"], series["mean"])
    except ValueError:
        law = None
    return {key: law and asdict(law)}
