"""Measures along training, on curves whose shape is known."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from ntklens.analysis.measures import along_training
from ntklens.analysis.measures.results import CannotMeasureError, CurveResults
from ntklens.storage.averages import Average, Mean

from tests.support.ensembles import EPOCHS, averages_of, settings_of

END = 6  # the minimum of the mean test loss


def results_with(quantity: str, values_at: Callable[[int], np.ndarray]) -> CurveResults:
    """Three scales whose members all have the values ``values_at(scale)`` of ``quantity`` along training."""

    def changed(average: Average) -> Average:
        values = values_at(average.scale)
        members = np.tile(values, (len(average.seeds), 1)).astype(np.float32)
        along = {**average.along, quantity: Mean(EPOCHS, values, 0 * values)}
        return replace(average, along=along, members={**average.members, quantity: members})

    averages = [changed(own) for own in averages_of(scales=(8, 16, 32))]
    return CurveResults(averages, settings_of(resamples=20))


def test_the_largest_fall_is_relative_to_the_gain_until_the_minimum() -> None:
    rising = np.array([0, 1, 2, 3, 4, 5, 10, 0, 0, 0, 0, 0, 0.0])
    assert along_training.largest_fall(results_with("ntk_trace", lambda _: rising), "ntk_trace").value == 0
    dipped = np.array([0, 4, 2, 3, 4, 5, 10, 0, 0, 0, 0, 0, 0.0])
    found = along_training.largest_fall(
        results_with("ntk_trace", lambda scale: dipped if scale == 16 else rising), "ntk_trace"
    )
    assert found.value == pytest.approx(0.2)
    assert found.resampled == pytest.approx(0.2)


def test_the_falling_share_is_weighted_by_the_train_loss() -> None:
    # The log train loss falls evenly, so that two of six steps are a third.
    values = np.array([5, 4, 5, 6, 5, 6, 7, 0, 0, 0, 0, 0, 0.0])
    found = along_training.falling_share(results_with("effective_rank", lambda _: values), "effective_rank")
    assert found.value == pytest.approx(1 / 3)


def test_peak_first_last_and_change() -> None:
    values = np.array([2, 4, 3, 3, 3, 3, 1, 9, 9, 9, 9, 9, 9.0])
    curve = results_with("effective_rank", lambda _: values)
    assert along_training.peak_over_initial_rank(curve, "").value == pytest.approx(2)
    assert along_training.initial_misalignment(curve, "effective_rank").value == pytest.approx(2)
    assert along_training.last_over_first(curve, "effective_rank").value == pytest.approx(0.5)
    assert along_training.change(curve, "effective_rank").value == pytest.approx(-1)


def test_a_constant_adaptation_rate_has_the_ratio_one() -> None:
    curve = CurveResults(averages_of(noise=0.1), settings_of())
    found = along_training.adaptation_late_over_early(curve, "")
    assert found.value == pytest.approx(1, rel=1e-5)
    assert found.resampled == pytest.approx(1, rel=1e-5)


def test_the_rate_of_a_quadratic_trace_grows() -> None:
    # Tr = (log loss)², so −χ is proportional to −log loss, which doubles from halfway to the minimum; epochs
    # are few and the running mean's are halves.
    curve = results_with("ntk_trace", lambda _: (0.1 * EPOCHS) ** 2)
    assert along_training.adaptation_late_over_early(curve, "").value == pytest.approx(2, rel=0.15)


@pytest.mark.parametrize("name", ["falling_share", "adaptation_late_over_early"])
def test_a_train_loss_of_zero_has_no_number(name: str) -> None:
    def zero(average: Average) -> Average:
        lost = np.full((len(average.seeds), len(EPOCHS)), -np.inf, np.float32)
        along = {**average.along, "log_train_loss": Mean(EPOCHS, lost[0].astype(float), 0.0 * EPOCHS)}
        return replace(average, along=along, members={**average.members, "log_train_loss": lost})

    curve = CurveResults([zero(own) for own in averages_of(scales=(8, 16))], settings_of(resamples=20))
    assert np.isnan(getattr(along_training, name)(curve, "ntk_trace").value)


def test_what_was_not_measured_is_named() -> None:
    curve = CurveResults(averages_of(), settings_of())
    with pytest.raises(CannotMeasureError, match="label_alignment was not measured along training"):
        along_training.change(curve, "label_alignment")
