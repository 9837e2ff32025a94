"""Claims on the page have the numbers and verdicts of the table, on a scale that holds them all."""

import math

import pytest
from ntklens.analysis.claims import Claim, Interval
from ntklens.analysis.comparison import Row, as_csv, row_of, unmeasured
from ntklens.gallery.verdicts import Place, ShownClaim, counts_of, shown_claims

NEAR = Claim(
    "near", "4.2", "2", "The slope is about -0.5", ("model-scaling",), "slope", value=-0.5, margin=0.1
)
FALLS = Claim("falls", "5", "3", "It falls", ("model-scaling",), "slope", below=0.0)
BENDS = Claim("bends", "5", "3", "It bends", ("model-scaling",), "bend", value=500.0, factor=2.0)


def shown(*rows: Row) -> list[ShownClaim]:
    return shown_claims(as_csv(rows), [NEAR, FALLS, BENDS])


def test_rows_of_one_claim_stand_together() -> None:
    rows = [
        row_of(NEAR, "MNIST", -0.04, Interval(-0.05, -0.03), "a fit"),
        row_of(FALLS, "MNIST", -0.4, Interval(-0.5, -0.3), "a fit"),
        row_of(NEAR, "Digits", -0.52, Interval(-0.55, -0.45), "a fit"),
    ]
    near, falls = shown(*rows)
    assert (near.section, near.figure, near.says, near.paper) == ("4.2", "2", NEAR.says, "−0.5 ± 0.1")
    assert [(own.curve, own.number, own.verdict, own.how) for own in near.results] == [
        ("MNIST", "−0.04 [−0.05, −0.03]", "disagrees", "a fit"),
        ("Digits", "−0.52 [−0.55, −0.45]", "agrees", "a fit"),
    ]
    assert counts_of([near, falls]) == [("agrees", 2), ("disagrees", 1)]


def test_places_are_shares_of_a_scale_with_room_at_its_ends() -> None:
    (near,) = shown(row_of(NEAR, "MNIST", -0.2, Interval(-0.3, 0.4), ""))
    # From -0.6, the range's lower end, to 0.4, with 6 % on each side: 1.12 long.
    share = 100 / 1.12
    assert near.accepted is not None
    assert near.accepted.low == pytest.approx(0.06 * share, abs=0.01)
    assert near.accepted.width == pytest.approx(0.2 * share, abs=0.01)
    place = near.results[0].place
    assert place is not None
    assert place.low == pytest.approx(0.36 * share, abs=0.01)
    assert place.width == pytest.approx(0.7 * share, abs=0.01)
    assert place.estimate == pytest.approx(0.46 * share, abs=0.01)


def test_open_ends_reach_to_the_end_of_the_scale() -> None:
    (falls,) = shown(row_of(FALLS, "MNIST", -0.4, Interval(-math.inf, -0.3), ""))
    assert falls.results[0].place is not None
    assert falls.results[0].place.low == 0
    assert falls.accepted is not None
    assert falls.accepted.low == 0
    assert falls.results[0].number == "−0.4 [−∞, −0.3]"


def test_a_number_without_an_interval_is_a_point() -> None:
    (falls,) = shown(row_of(FALLS, "MNIST", -0.4, Interval(math.nan, math.nan), ""))
    place = falls.results[0].place
    assert place is not None
    assert (place.low, place.width) == (place.estimate, None)
    assert falls.results[0].number == "−0.4, without an interval"


def test_factors_have_a_logarithmic_scale() -> None:
    (bends,) = shown(row_of(BENDS, "MNIST", 500.0, Interval(250.0, 1000.0), ""))
    place = bends.results[0].place
    assert place is not None
    assert place.estimate == pytest.approx(50)
    assert bends.accepted is not None
    assert (bends.accepted.low, bends.accepted.width) == (place.low, place.width)


def test_unmeasured_claims_have_a_reason_and_no_scale() -> None:
    (bends,) = shown(unmeasured(BENDS, "–", "too few widths"))
    assert (bends.results[0].number, bends.results[0].how) == ("–", "too few widths")
    assert bends.results[0].place is None
    assert bends.accepted is None
    assert bends.results[0].mark == "not-measured"


def test_measured_numbers_of_which_nothing_varies_have_a_place() -> None:
    claim = Claim("same", "4", "2", "It is 0", (), "slope", value=0.0, margin=0.0)
    (same,) = shown_claims(as_csv([row_of(claim, "MNIST", 0.0, Interval(0.0, 0.0), "")]), [claim])
    assert same.results[0].place == Place(50.0, 0.0, 50.0)
