"""Measures of the laws that key quantities follow along a curve."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int

from ntklens.analysis.by_eye import FEWEST, by_eye
from ntklens.analysis.curve_laws import OCTAVES, bent_fits, log_rows
from ntklens.analysis.fitting import BentFits, PowerFits, fit_power_laws
from ntklens.analysis.laws import SATURATING, TRACE_RATIO, Form
from ntklens.analysis.measures.results import CurveResults, Measured, measured, need, rows_of_mean
from ntklens.analysis.series import Series

MISTRAL_7B = 14336  # units of a feed-forward layer (§5)


def slope(results: CurveResults, quantity: str) -> Measured:
    """exponent of a power law through all scales, fitted by weighted least squares to the log means"""
    return _slope(_series(results, quantity), lambda scale: np.full(len(scale), True))


def first_slope(results: CurveResults, quantity: str) -> Measured:
    """exponent of a power law through the scales of the first two octaves"""
    return _slope(_series(results, quantity), lambda scale: scale <= scale.min() * 2**OCTAVES)


def last_slope(results: CurveResults, quantity: str) -> Measured:
    """exponent of a power law through the scales of the last two octaves"""
    return _slope(_series(results, quantity), lambda scale: scale >= scale.max() / 2**OCTAVES)


def trace_ratio_bend(results: CurveResults, _: str) -> Measured:
    """m_β of β₀/(1 + m/m_β), fitted to the ratio of means by weighted least squares"""
    return _bend(_series(results, "trace_ratio"), TRACE_RATIO)


def rank_bend(results: CurveResults, _: str) -> Measured:
    """m_Γ of Γ_sat/(1 + m_Γ/m)^p, fitted by weighted least squares"""
    return _bend(_series(results, "effective_rank"), SATURATING)


def rank_level(results: CurveResults, _: str) -> Measured:
    """Γ_sat of Γ_sat/(1 + m_Γ/m)^p, fitted by weighted least squares"""
    return measured(np.exp(_fits(_series(results, "effective_rank"), SATURATING).log_level))


def widest(results: CurveResults, quantity: str) -> Measured:
    """the quantity at the largest scale"""
    series = _series(results, quantity)
    return Measured(float(series.value[-1]), series.resampled[:, -1])


def slope_by_eye(results: CurveResults, quantity: str) -> Measured:
    """slope of a straight line through the narrower half of the scales for Γ, the wider half for β"""
    return measured(_by_eye(results, quantity)[0])


def bend_by_eye(results: CurveResults, quantity: str) -> Measured:
    """scale where that straight line meets the value at the widest network for Γ, at the narrowest for β"""
    return measured(np.exp(_by_eye(results, quantity)[1]))


def rank_bend_over_trace_ratio_bend(results: CurveResults, _: str) -> Measured:
    """m_Γ of the saturating law Γ_sat/(1 + m_Γ/m)^p, over m_β of β₀/(1 + m/m_β)"""
    rank, ratio = rank_bend(results, ""), trace_ratio_bend(results, "")
    with np.errstate(invalid="ignore", divide="ignore"):
        return Measured(float(np.divide(rank.value, ratio.value)), rank.resampled / ratio.resampled)


def mistral_over_transition(results: CurveResults, _: str) -> Measured:
    """14336, the width of a feed-forward layer of Mistral-7B, over m_β of β₀/(1 + m/m_β)"""
    bend = trace_ratio_bend(results, "")
    with np.errstate(divide="ignore"):
        return Measured(float(np.divide(MISTRAL_7B, bend.value)), MISTRAL_7B / bend.resampled)


def entropy_agreement(results: CurveResults, _: str) -> Measured:
    """correlation over the scales of ln⟨Γ⟩ and ⟨ln Γ⟩, where ln Γ is the von Neumann entropy"""
    need(len(results.averages) > 2, "there are fewer than three scales")
    ranks = [average.minimum["effective_rank"].astype(np.float64) for average in results.followed]
    of_mean = np.stack([rows_of_mean(own, w) for own, w in zip(ranks, results.weights, strict=True)])
    entropy = np.stack([rows_of_mean(np.log(own), w) for own, w in zip(ranks, results.weights, strict=True)])
    return measured(_correlations(np.log(of_mean).T, entropy.T))


def _correlations(
    one: Float[np.ndarray, "rows points"], other: Float[np.ndarray, "rows points"]
) -> Float[np.ndarray, " rows"]:
    """The correlation of each row of ``one`` with the same row of ``other``."""
    one = one - one.mean(axis=1, keepdims=True)
    other = other - other.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return (one * other).sum(axis=1) / np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))


def _series(results: CurveResults, quantity: str) -> Series:
    """The `Series` of ``quantity``, whose scales have logarithms."""
    need(quantity in results.series, f"{quantity} is no key quantity of the curve")
    series = results.series[quantity]
    need(bool(np.all(series.scale > 0)), "a scale of 0 has no logarithm")
    return series


def _slope(
    series: Series, chosen_of: Callable[[Int[np.ndarray, " points"]], Bool[np.ndarray, " points"]]
) -> Measured:
    """The exponent of a power law through the scales that ``chosen_of`` chooses."""
    chosen = chosen_of(series.scale)
    weights = series.variances.weights[chosen]
    return measured(_power_laws(np.log(series.scale[chosen]), log_rows(series)[:, chosen], weights).exponent)


def _power_laws(
    log_x: Float[np.ndarray, " points"],
    rows: Float[np.ndarray, "rows points"],
    weights: Float[np.ndarray, " points"],
) -> PowerFits:
    """Power laws through each row."""
    need(len(log_x) > 1, "there are fewer than two scales in the window")
    return fit_power_laws(log_x, rows, weights)


def _bend(series: Series, form: Form) -> Measured:
    """The bend of the law of this ``form``; 0 or ∞ where it is censored."""
    return measured(np.exp(_fits(series, form).log_bend))


def _fits(series: Series, form: Form) -> BentFits:
    """The fits of the law of this ``form``."""
    needed = 3 + form.fitted_power
    need(len(series.scale) >= needed, f"there are fewer than {needed} scales")
    return bent_fits(form, series)


def _by_eye(
    results: CurveResults, quantity: str
) -> tuple[Float[np.ndarray, " rows"], Float[np.ndarray, " rows"]]:
    """Rows of the slope, and of the log scale where the line meets the plateau."""
    series = _series(results, quantity)
    need(len(series.scale) >= FEWEST, f"there are fewer than {FEWEST} scales")
    return by_eye(
        np.log(series.scale), log_rows(series), "narrow" if quantity == "effective_rank" else "wide"
    )
