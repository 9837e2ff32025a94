"""The table of variance components, as CSV and Markdown: what initialisation and draws of data contribute.

Terms are standard deviations of a single network, as shares of the quantity's mean. Beside them stand two
standard errors of a mean over the initialisations, on one training draw and one NTK draw. The first counts
what varies with the initialisation: all that intervals from one draw can know. The second counts the draws
too: how far the mean is from that over all draws.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ntklens.analysis.data_draws import FACTORS, QUANTITIES, Deviations, DrawnRuns
from ntklens.analysis.intervals import Interval, interval
from ntklens.analysis.tables import csv_text, in_full, markdown_lines
from ntklens.analysis.variance_components import Rows, components
from ntklens.storage.quantities import QUANTITIES as DESCRIBED

INITIALISATION = FACTORS.index("initialisation")
RESIDUAL = "residual"  # all combinations of factors, and whatever else differs
ALONE = "error of the mean, initialisation alone"
WITH_DRAWS = "error of the mean, draws included"
FACTOR = "second error over the first"


class Term(NamedTuple):
    """One number of the table; a share of the ``mean``, but for `FACTOR`."""

    curve: str  # in words
    scale: int
    quantity: str
    mean: float
    levels: tuple[int, ...]  # of `FACTORS`, the NTK draws missing where the quantity has none
    name: str
    found: Interval


def terms_of(curve: str, scale: int, runs: DrawnRuns, simulations: int) -> list[Term]:
    """All terms of every quantity at one scale. Raises ValueError as `components` does."""
    deviations = runs.deviations()
    return [
        Term(curve, scale, name, own.mean, own.relative.shape, term, interval(rows[0], rows[1:]))
        for name in QUANTITIES
        for own in [deviations[name]]
        for term, rows in _terms(own, simulations)
    ]


def _terms(own: Deviations, simulations: int) -> Iterator[tuple[str, Float[np.ndarray, " rows"]]]:
    """Each term's name and its rows: the estimate, and then the simulated ones."""
    found = components(own.relative, simulations, np.random.default_rng(0))
    for source, rows in found.items():
        yield " × ".join(FACTORS[axis] for axis in source), np.sqrt(rows)
    yield RESIDUAL, np.sqrt(sum(rows for source, rows in found.items() if len(source) > 1))
    alone, with_draws = _errors(found, own.relative.shape[INITIALISATION])
    yield ALONE, alone
    yield WITH_DRAWS, with_draws
    with np.errstate(divide="ignore", invalid="ignore"):
        yield FACTOR, with_draws / alone


def _errors(
    found: Rows, initialisations: int
) -> tuple[Float[np.ndarray, " rows"], Float[np.ndarray, " rows"]]:
    """Standard errors of a mean over so many ``initialisations``, without and with those of the draws.

    Sources with the initialisation average out over them, those without are the same for all of them.
    """
    own = sum(rows for source, rows in found.items() if INITIALISATION in source) / initialisations
    common = sum(rows for source, rows in found.items() if INITIALISATION not in source)
    return np.sqrt(own), np.sqrt(own + common)


COLUMNS = ("curve", "scale", "quantity", "mean", *(f"{factor}s" for factor in FACTORS), "term")


def as_csv(terms: Sequence[Term]) -> str:
    """All terms, with numbers in full; an open end is inf."""
    return csv_text([*COLUMNS, "value", "low", "high"], map(_csv_row, terms))


def _csv_row(term: Term) -> list[object]:
    levels = [*map(str, term.levels), ""][: len(FACTORS)]
    named = [term.curve, term.scale, term.quantity, repr(term.mean), *levels, term.name]
    return [*named, *map(in_full, _numbers(term.found))]


SHOWN = (*FACTORS, RESIDUAL, ALONE, WITH_DRAWS, FACTOR)
EXPLANATION = (
    "Standard deviations as shares of the mean, with 95 % intervals. *Residual*: all combinations of the "
    "three. The errors are those of a mean over the initialisations on one training draw and one NTK draw. "
    "In model scaling, intervals of all other tables and figures count the first error alone."
)


def as_markdown(terms: Sequence[Term]) -> str:
    """A page with a row for each quantity at each scale of each curve."""
    rows: dict[tuple[str, int, str], list[Term]] = {}
    for term in terms:
        rows.setdefault((term.curve, term.scale, term.quantity), []).append(term)
    headings = ["on", "scale", "quantity", "mean", "levels", *SHOWN]
    lines = ["# Variance components", "", EXPLANATION, ""]
    lines += markdown_lines(headings, (_cells(*key, own) for key, own in rows.items()))
    return "\n".join(lines) + "\n"


def _cells(curve: str, scale: int, quantity: str, own: Sequence[Term]) -> list[str]:
    by_name = {term.name: term.found for term in own}
    described = DESCRIBED[quantity]
    name = described.label + (f" ${described.symbol}$" if described.symbol else "")
    levels = " × ".join(map(str, own[0].levels))
    shown = [
        "–" if term not in by_name else _in_words(by_name[term], percent=term != FACTOR) for term in SHOWN
    ]
    return [curve, str(scale), name, f"{own[0].mean:.4g}", levels, *shown]


def _in_words(own: Interval, percent: bool) -> str:
    """Such as ``12 % [8.1, 20]``, or ``1.4 [1.1, 3]``."""
    value, low, high = (number * (100 if percent else 1) for number in _numbers(own))
    if np.isnan(value):
        return "–"
    return f"{_short(value)}{' %' if percent else ''} [{_short(low)}, {_short(high)}]"


def _short(value: float) -> str:
    """``value`` with two significant digits, from 100 on without decimal places; rounding errors as 0."""
    if np.isinf(value):
        return "∞"
    if value < 1e-6:
        return "0"
    return f"{value:.0f}" if value >= 99.5 else f"{value:.2g}"


def _numbers(own: Interval) -> tuple[float, float, float]:
    """Value and ends; NaN where undefined, infinite where open."""
    ends = [(own["value"], False), (own["low"], own["low_open"]), (own["high"], own["high_open"])]
    value, low, high = (
        (np.inf if is_open else np.nan) if number is None else number for number, is_open in ends
    )
    return value, low, high
