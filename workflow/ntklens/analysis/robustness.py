"""How far the results depend on what the paper does not state: every number beside its baseline's.

A curve of model scaling is a *baseline*. It is read in other ways (`ntklens.analysis.variations`), and set
beside curves that were trained otherwise. Two numbers *differ* if their 95 % intervals are disjoint. This is
a cautious rule: of two numbers whose intervals overlap a little, a test may still say that they differ.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from ntklens.analysis.claims import Interval
from ntklens.analysis.comparison import number_in_words
from ntklens.analysis.judging import interval_of
from ntklens.analysis.measures.of_laws import (
    last_slope,
    rank_bend,
    rank_level,
    slope,
    trace_ratio_bend,
    widest,
)
from ntklens.analysis.measures.results import CannotMeasureError, CurveResults, Measured
from ntklens.analysis.settings import VariedCurve
from ntklens.analysis.tables import csv_text, in_full, markdown_lines
from ntklens.analysis.variations import Read, Spectra, Variation, variations
from ntklens.storage.curve import Curve

AS_CONFIGURED = "as the config has it"
Verdict = Literal["baseline", "overlaps", "differs", "unchanged", "not measured"]


class Number(NamedTuple):
    """One column of the table: its heading, the key quantity behind it, and how it is measured."""

    heading: str
    quantity: str
    measure: Callable[[CurveResults, str], Measured]


NUMBERS = (
    Number("slope of L_test", "test_loss", slope),
    Number("last slope of β", "trace_ratio", last_slope),
    Number("m_β", "trace_ratio", trace_ratio_bend),
    Number("m_Γ", "effective_rank", rank_bend),
    Number("Γ_sat", "effective_rank", rank_level),
    Number("Γ at the widest", "effective_rank", widest),
    Number("slope of −χ", "adaptation_rate", slope),
)


class Cell(NamedTuple):
    """One number of one variation. ``why`` says why it is not measured, or is empty."""

    estimate: float  # NaN if it is not measured
    interval: Interval  # of 95 %
    verdict: Verdict
    why: str = ""


class Row(NamedTuple):
    """One variation of one baseline, with a cell for each of `NUMBERS`."""

    baseline: str
    variation: str
    cells: tuple[Cell, ...]


class Varied(NamedTuple):
    """One curve with its results; ``spectra`` by scale, of baselines only."""

    curve: VariedCurve
    results: CurveResults
    spectra: Mapping[int, Spectra]


def rows_of(curves: Sequence[Varied]) -> list[Row]:
    """The rows of every baseline: its own, its other readings, and the curves that were trained otherwise."""
    return [row for own in curves if own.curve.is_baseline for row in _rows_of(own, curves)]


def _rows_of(baseline: Varied, curves: Sequence[Varied]) -> Iterator[Row]:
    name = _title(baseline.curve.baseline)
    cells = tuple(_cell(number, baseline.results, None) for number in NUMBERS)
    yield Row(name, AS_CONFIGURED, cells)
    for variation in variations():
        yield Row(name, variation.title, _read_otherwise(variation, baseline, cells))
    for other in curves:
        if other.curve.baseline == baseline.curve.baseline and not other.curve.is_baseline:
            pairs = zip(NUMBERS, cells, strict=True)
            own = tuple(_cell(number, other.results, cell) for number, cell in pairs)
            yield Row(name, other.curve.title, own)


def _read_otherwise(variation: Variation, baseline: Varied, cells: Sequence[Cell]) -> tuple[Cell, ...]:
    try:
        results = variation.of(Read(baseline.results, baseline.spectra))
    except CannotMeasureError as error:
        return tuple(_unmeasured(str(error)) for _ in cells)
    return tuple(
        _cell(number, results, cell)
        if number.quantity in variation.changes
        else cell._replace(verdict="unchanged")
        for number, cell in zip(NUMBERS, cells, strict=True)
    )


def _cell(number: Number, results: CurveResults, baseline: Cell | None) -> Cell:
    try:
        found = number.measure(results, number.quantity)
    except (CannotMeasureError, ValueError) as error:  # the adaptation rate of too few epochs has no value
        return _unmeasured(str(error))
    if np.isnan(found.value):
        return _unmeasured("it is not defined at every scale, or its fit fails")
    interval = interval_of(found)
    return Cell(found.value, interval, "baseline" if baseline is None else _verdict(interval, baseline))


def _verdict(own: Interval, baseline: Cell) -> Verdict:
    """Whether two intervals overlap; without one of them nothing can be said."""
    ends = (*own, *baseline.interval)
    if any(math.isnan(end) for end in ends):
        return "not measured"
    overlap = own.low <= baseline.interval.high and baseline.interval.low <= own.high
    return "overlaps" if overlap else "differs"


def _unmeasured(why: str) -> Cell:
    return Cell(math.nan, Interval(math.nan, math.nan), "not measured", why)


def _title(curve: Curve) -> str:
    return f"{curve.dataset}, {curve.network}"


COLUMNS = ("baseline", "variation", "number", "ours", "low", "high", "beside the baseline", "why not")


def as_csv(rows: Sequence[Row]) -> str:
    """One line for each number of each variation. Open ends of intervals are ``inf``."""
    return csv_text(
        COLUMNS,
        (
            [row.baseline, row.variation, number.heading]
            + [*map(in_full, (cell.estimate, *cell.interval)), cell.verdict, cell.why]
            for row in rows
            for number, cell in zip(NUMBERS, row.cells, strict=True)
        ),
    )


def as_markdown(rows: Sequence[Row], title: str) -> str:
    """A page with a table for each baseline; what differs from the baseline is bold."""
    lines = [
        f"# {title}",
        "",
        "Numbers with their 95 % intervals. **Bold**: the interval does not overlap the baseline's. "
        "=: the variation cannot change the number. –: not measured.",
    ]
    for baseline in dict.fromkeys(row.baseline for row in rows):
        lines += ["", f"## {baseline}", ""]
        headings = ["variation", *(number.heading for number in NUMBERS)]
        own = [[row.variation, *map(_in_words, row.cells)] for row in rows if row.baseline == baseline]
        lines += markdown_lines(headings, own)
    return "\n".join(lines) + "\n"


def _in_words(cell: Cell) -> str:
    if cell.verdict == "unchanged":
        return "="
    text = number_in_words(cell.estimate, cell.interval)
    return f"**{text}**" if cell.verdict == "differs" else text
