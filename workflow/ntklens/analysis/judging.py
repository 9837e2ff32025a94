"""Judges the paper's claims on the results of a config's curves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ntklens.analysis.claims import Claim, ClaimsError, Interval
from ntklens.analysis.comparison import Row, row_of, unmeasured
from ntklens.analysis.intervals import ends
from ntklens.analysis.measures.catalogue import MEASURES
from ntklens.analysis.measures.results import CannotMeasureError, CurveResults, Measured
from ntklens.analysis.settings import ComparedCurve


@dataclass(frozen=True)
class Judged:
    """One curve with its results."""

    curve: ComparedCurve
    results: CurveResults


def judge(claims: Iterable[Claim], judged: Sequence[Judged]) -> list[Row]:
    """The rows of every claim, in order. Raises ClaimsError if a claim's measure does not exist."""
    return [row for claim in claims for row in _rows_of(claim, judged)]


def _rows_of(claim: Claim, judged: Sequence[Judged]) -> list[Row]:
    if claim.measure not in MEASURES:
        raise ClaimsError(f"claim {claim.id}: no measure is called {claim.measure!r}")
    chosen = [own for own in judged if _is_about(claim, own.curve)]
    if claim.pairs is None:
        rows = [_row(claim, own) for own in chosen]
    else:
        pairs = [pair for pair in combinations(chosen, 2) if _differ(claim, *pair)]
        rows = [_row(claim, *pair) for pair in pairs]
    return rows or [unmeasured(claim, "–", "the config has no curve that decides it")]


def _is_about(claim: Claim, curve: ComparedCurve) -> bool:
    named = curve.analysis.curve
    return (
        named.study in claim.studies
        and (not claim.datasets or named.dataset in claim.datasets)
        and claim.hidden_layers in (None, curve.hidden_layers)
    )


def _differ(claim: Claim, one: Judged, other: Judged) -> bool:
    """Whether two curves are a pair of ``claim``: alike except in what it compares.

    Between two studies, networks differ by necessity: of each study, the network of figure 2 counts.
    """
    (study, dataset, network), other_curve = one.curve.analysis.curve, other.curve.analysis.curve
    if claim.pairs == "datasets":
        return (study, network) == (other_curve.study, other_curve.network) and dataset != other_curve.dataset
    shown = one.curve.in_figure_2 and other.curve.in_figure_2
    return shown and study != other_curve.study and dataset == other_curve.dataset


def _row(claim: Claim, one: Judged, other: Judged | None = None) -> Row:
    """The row of one curve, or of the difference of two."""
    measure = MEASURES[claim.measure]
    how = " ".join((measure.__doc__ or "").split())
    name = one.curve.title + (f" − {other.curve.title}" if other else "")
    try:
        found = measure(one.results, claim.quantity or "")
        if other:
            found = found.less(measure(other.results, claim.quantity or ""))
    except CannotMeasureError as error:
        return unmeasured(claim, name, str(error))
    if np.isnan(found.value):
        return unmeasured(claim, name, f"not defined on these results: {how}")
    return row_of(claim, name, found.value, interval_of(found), how)


def interval_of(found: Measured) -> Interval:
    """The 95 % interval; unknown for a number without resamples."""
    if not len(found.resampled):
        return Interval(np.nan, np.nan)
    low, high = ends(found.resampled)
    return Interval(float(low), float(high))
