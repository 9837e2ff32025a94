"""Does a curve bend? A likelihood-ratio test of a power law against bent laws, by parametric bootstrap.

Under a power law the bend of a bent law is not identified, so the likelihood ratio does not follow a χ²
distribution and an F-test rejects too often (Davies 1987). Its distribution is therefore simulated: log means
are drawn around the fitted power law, with the pooled variances, and both laws are fitted to each. The
variances themselves are known from ν degrees of freedom only. Every simulated ratio is divided by a χ²_ν / ν,
as the measured one is divided by an estimated variance.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ntklens.analysis.fitting import fit_bent_laws, fit_power_laws
from ntklens.analysis.laws import Form
from ntklens.analysis.records import Choice
from ntklens.analysis.series import Series

SIGNIFICANCE = 0.05


def choose(
    series: Series, forms: Sequence[Form], resamples: int, generator: np.random.Generator
) -> Choice | None:
    """The `Choice` between a power law and the best of ``forms``.

    None without variances: with single members, or where no member differs from another. Raises ValueError
    for too few scales.
    """
    variances = series.variances.pooled
    if not (resamples and np.all(np.isfinite(variances) & (variances > 0))):
        return None
    log_x, log_y = np.log(series.scale), np.log(series.value)
    weights = series.variances.weights
    measured = _ratio(forms, log_x, log_y[None], weights)[0]
    null = fit_power_laws(log_x, log_y[None], weights)
    shared, own = np.sqrt(series.correlation), np.sqrt(1 - series.correlation)
    noise = own * generator.standard_normal((resamples, len(log_x)))
    noise = (noise + shared * generator.standard_normal((resamples, 1))) * np.sqrt(variances)
    drawn = null.log_amplitude + null.exponent * log_x + noise
    freedom = series.variances.freedom / (1 + (len(log_x) - 1) * series.correlation**2)
    scale = generator.chisquare(freedom, resamples) / freedom
    simulated = _ratio(forms, log_x, drawn, weights) / scale
    p_value = float((1 + np.sum(simulated >= measured)) / (1 + resamples))
    return {
        "likelihood_ratio": float(measured),
        "p_value": p_value,
        "power_law_rejected": p_value < SIGNIFICANCE,
    }


def _ratio(
    forms: Sequence[Form],
    log_x: Float[np.ndarray, " points"],
    log_y: Float[np.ndarray, "rows points"],
    weights: Float[np.ndarray, " points"],
) -> Float[np.ndarray, " rows"]:
    bent = np.min([fit_bent_laws(form, log_x, log_y, weights).squares for form in forms], axis=0)
    return np.maximum(fit_power_laws(log_x, log_y, weights).squares - bent, 0.0)
