import csv
import math
from dataclasses import replace

import numpy as np
import pytest
from ntklens.analysis.laws import BentLaw
from ntklens.analysis.measures.results import CurveResults
from ntklens.analysis.robustness import (
    AS_CONFIGURED,
    NUMBERS,
    Cell,
    Row,
    Varied,
    as_csv,
    as_markdown,
    rows_of,
)
from ntklens.analysis.settings import VariedCurve
from ntklens.analysis.variations import Spectra, variations
from ntklens.storage.averages import Average

from tests.support.ensembles import CURVE, RANK, RATIO, averages_of, settings_of

OTHER = BentLaw("trace ratio", 15.0, 40.0)


def tracing(average: Average) -> Average:
    """``average`` with traces that start above zero, which their slopes do not show."""
    return replace(average, members={**average.members, "ntk_trace": 1.0 + average.members["ntk_trace"]})


def varied(name: str = "", ratio: BentLaw = RATIO, baseline: bool = False) -> Varied:
    """A curve of little noise; a baseline has spectra."""
    curve = CURVE if baseline else CURVE._replace(study="own")
    settings = settings_of(curve=curve)
    averages = [tracing(own) for own in averages_of(noise=0.02, ratio=ratio)]
    spectra = Spectra(np.ones((5, 4)), np.ones((5, 4)))
    return Varied(
        VariedCurve(settings, CURVE, name),
        CurveResults(averages, settings),
        {own.scale: spectra for own in averages} if baseline else {},
    )


def column(heading: str) -> int:
    return [number.heading for number in NUMBERS].index(heading)


def row(rows: list[Row], words: str) -> Row:
    (found,) = (own for own in rows if words in own.variation)
    return found


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    curves = [varied(baseline=True), varied("Same law"), varied("Other law", OTHER)]
    return rows_of(curves)


def test_a_baseline_comes_first_then_its_readings_then_other_curves(rows: list[Row]) -> None:
    titles = [AS_CONFIGURED, *(own.title for own in variations()), "Same law", "Other law"]
    assert [own.variation for own in rows] == titles
    assert {own.baseline for own in rows} == {"digits, three-layer"}
    assert all(len(own.cells) == len(NUMBERS) for own in rows)


def test_numbers_of_the_baseline_are_those_of_its_laws(rows: list[Row]) -> None:
    cells = rows[0].cells
    assert {own.verdict for own in cells} == {"baseline"}
    for heading, expected in {
        "m_β": RATIO.bend,
        "m_Γ": RANK.bend,
        "Γ_sat": RANK.level,
        "slope of −χ": 1,
    }.items():
        cell = cells[column(heading)]
        assert cell.estimate == pytest.approx(expected, rel=0.15)
        assert cell.interval.low < cell.estimate < cell.interval.high


def test_another_law_differs_and_the_same_law_overlaps(rows: list[Row]) -> None:
    bend = column("m_β")
    assert row(rows, "Other law").cells[bend].verdict == "differs"
    assert {own.verdict for own in row(rows, "Same law").cells} == {"overlaps"}


def test_a_reading_leaves_the_numbers_of_other_quantities_as_they_are(rows: list[Row]) -> None:
    ratios = row(rows, "mean of the seeds")
    for number, cell, baseline in zip(NUMBERS, ratios.cells, rows[0].cells, strict=True):
        if number.quantity == "trace_ratio":
            assert cell.verdict == "overlaps"
            assert cell.estimate != baseline.estimate
        else:
            assert cell == baseline._replace(verdict="unchanged")


def test_a_flat_spectrum_has_its_full_rank_at_every_width(rows: list[Row]) -> None:
    raw = row(rows, "not normalised").cells[column("Γ at the widest")]
    assert raw.estimate == pytest.approx(4)
    assert raw.verdict == "differs"


def test_what_cannot_be_measured_says_why() -> None:
    few = varied(baseline=True)
    few = few._replace(results=replace(few.results, averages=few.results.averages[:2]), spectra={})
    first, *others = rows_of([few])[:2]
    cell = first.cells[column("m_Γ")]
    assert (cell.verdict, cell.why) == ("not measured", "there are fewer than 4 scales")
    assert math.isnan(cell.estimate)
    assert {own.why for own in others[0].cells} == {"the run files of scale 8 are not those of the averages"}


def test_single_members_have_no_intervals_to_compare() -> None:
    settings = settings_of()
    single = Varied(
        VariedCurve(settings, CURVE, ""),
        CurveResults([tracing(own) for own in averages_of(members=1)], settings),
        spectra={},
    )
    other = settings_of(curve=CURVE._replace(study="own"))
    beside = Varied(VariedCurve(other, CURVE, "Beside"), CurveResults(averages_of(members=1), other), {})
    cell = row(rows_of([single, beside]), "Beside").cells[column("m_β")]
    assert cell.verdict == "not measured"
    assert cell.estimate == pytest.approx(RATIO.bend, rel=1e-3)


def test_csv_has_a_line_for_each_number(rows: list[Row]) -> None:
    lines = list(csv.DictReader(as_csv(rows).splitlines()))
    assert len(lines) == len(rows) * len(NUMBERS)
    bend = next(line for line in lines if line["number"] == "m_β")
    assert float(bend["ours"]) == rows[0].cells[column("m_β")].estimate
    assert float(bend["low"]) < float(bend["ours"]) < float(bend["high"])
    assert bend["beside the baseline"] == "baseline"


def test_markdown_marks_what_differs_and_what_cannot_change(rows: list[Row]) -> None:
    text = as_markdown(rows, "Robustness")
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(rows)
    assert {line.count("|") for line in table} == {len(NUMBERS) + 2}
    cells = {line.split(" | ")[0].removeprefix("| "): line.split(" | ") for line in table}
    assert cells["Other law"][1 + column("m_β")].startswith("**")
    assert cells["β as the mean of the seeds' ratios"][1 + column("m_Γ")] == "="
    assert "**" not in "".join(cells["Same law"])


def test_unmeasured_cells_are_a_dash(rows: list[Row]) -> None:
    nothing = Cell(math.nan, rows[0].cells[0].interval, "not measured", "no reason")
    text = as_markdown([Row("b", "v", (nothing,) * len(NUMBERS))], "T")
    assert f"| v |{' – |' * len(NUMBERS)}" in text
