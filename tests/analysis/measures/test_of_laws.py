"""Measures of laws give the laws' own numbers back, on noise-free members."""

import numpy as np
import pytest
from ntklens.analysis.laws import BentLaw, PowerLaw
from ntklens.analysis.measures import of_laws
from ntklens.analysis.measures.results import CannotMeasureError, CurveResults
from ntklens.storage.curve import Curve

from tests.support.ensembles import RANK, RATIO, WIDTHS, averages_of, settings_of


def results(**laws: object) -> CurveResults:
    return CurveResults(averages_of(noise=1e-9, **laws), settings_of())  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("name", ["slope", "first_slope", "last_slope"])
def test_slopes_of_a_power_law_are_its_exponent(name: str) -> None:
    found = getattr(of_laws, name)(results(loss=PowerLaw(3.0, -0.5)), "test_loss")
    assert found.value == pytest.approx(-0.5)
    assert found.resampled == pytest.approx(-0.5, abs=1e-6)


def test_first_and_last_slope_see_only_their_octaves() -> None:
    curve = results(ratio=BentLaw("trace ratio", 15.0, 90.0))
    first, whole, last = (
        getattr(of_laws, name)(curve, "trace_ratio").value for name in ("first_slope", "slope", "last_slope")
    )
    assert -0.2 < first < 0 > whole > last > -1


def test_bends_are_those_of_the_laws() -> None:
    assert of_laws.trace_ratio_bend(results(), "").value == pytest.approx(RATIO.bend, rel=1e-5)
    ratio = of_laws.rank_bend_over_trace_ratio_bend(results(), "")
    assert ratio.value == pytest.approx(RANK.bend / RATIO.bend, rel=1e-4)
    assert of_laws.mistral_over_transition(results(), "").value == pytest.approx(14336 / RATIO.bend, rel=1e-5)


def test_the_saturating_laws_bend_and_level_are_its_own() -> None:
    curve = results()
    assert of_laws.rank_bend(curve, "").value == pytest.approx(RANK.bend, rel=1e-4)
    assert of_laws.rank_level(curve, "").value == pytest.approx(RANK.level, rel=1e-4)


def test_the_widest_is_the_value_at_the_largest_scale() -> None:
    found = of_laws.widest(results(), "effective_rank")
    assert found.value == pytest.approx(float(RANK(WIDTHS[-1])), rel=1e-6)
    assert found.resampled == pytest.approx(found.value, rel=1e-6)


def test_the_eye_reads_line_and_plateau() -> None:
    def broken(width: np.ndarray) -> np.ndarray:
        return 10.0 * np.minimum(width, 100.0) ** 0.5

    curve = results(rank=broken)
    assert of_laws.slope_by_eye(curve, "effective_rank").value == pytest.approx(0.5)
    assert of_laws.bend_by_eye(curve, "effective_rank").value == pytest.approx(100.0, rel=1e-6)


def test_entropy_agrees_with_rank_where_members_are_alike() -> None:
    assert of_laws.entropy_agreement(results(), "").value == pytest.approx(1.0)


def test_what_is_missing_is_said() -> None:
    short = CurveResults(averages_of(scales=WIDTHS[:2]), settings_of())
    with pytest.raises(CannotMeasureError, match="fewer than 3 scales"):
        of_laws.trace_ratio_bend(short, "")
    with pytest.raises(CannotMeasureError, match="fewer than 4 scales"):
        of_laws.bend_by_eye(short, "trace_ratio")
    with pytest.raises(CannotMeasureError, match="no key quantity"):
        of_laws.slope(short, "label_alignment")
    noise = CurveResults(averages_of(), settings_of(curve=Curve("noise-scaling", "digits", "dense")))
    noise.averages[0].minimum.clear()
    with pytest.raises(CannotMeasureError, match="did not follow the minimum"):
        of_laws.slope(noise, "test_loss")
