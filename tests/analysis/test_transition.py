import numpy as np
import pytest
from ntklens.analysis.initial_trace import InitialTrace
from ntklens.analysis.series import key_series
from ntklens.analysis.transition import (
    expected,
    eye_reading,
    log_ratio_of_bends,
    predicted,
    read_infinite_width,
)
from ntklens.storage.records import write_record

from tests.support.ensembles import averages_of, settings_of
from tests.support.origins import origin

TRACE = InitialTrace(inputs=784, hidden_layers=2, rows=1280, mean_square_norm=100.0)


def trace_at(width):
    return TRACE.at(np.array([int(width)]))[0]


def series_of(**changes):
    found = key_series(averages_of(trace=trace_at, **changes), settings_of())
    return found["trace_ratio"], found["effective_rank"], found["trace_gain"]


def constant_gain(m):
    return 6e5 / trace_at(m)


def test_a_constant_gain_is_predicted_without_a_fitted_bend():
    ratio, _, gain = series_of(ratio=constant_gain)
    found = predicted(TRACE, ratio, gain)
    np.testing.assert_allclose(found["trace_ratio"], ratio.value)
    assert found["gain"]["value"] == pytest.approx(6e5)
    assert found["gain_exponent"]["value"] == pytest.approx(0, abs=1e-9)
    assert found["squares"] is None  # without noise there are no weights
    assert expected(TRACE, ratio)["bend"] == TRACE.bend


def test_squares_tell_a_right_prediction_from_a_wrong_one():
    right = predicted(TRACE, *series_of(noise=0.1, ratio=constant_gain)[::2])
    wrong = predicted(TRACE, *series_of(noise=0.1, ratio=lambda m: constant_gain(m) * m**0.4)[::2])
    assert right["squares"] < 30 < 100 < wrong["squares"]
    assert wrong["gain_exponent"]["low"] > 0.2


def test_a_trace_that_shrinks_has_no_prediction():
    ratio, _, gain = series_of(ratio=lambda m: -0.1)
    assert predicted(TRACE, ratio, gain) is None
    assert eye_reading(ratio, "wide") is None


def test_bends_are_compared_in_the_same_resamples():
    ratio, rank, _ = series_of(noise=0.02, ratio=lambda m: 15 / (1 + m / 420))
    found = log_ratio_of_bends(ratio, rank)
    assert found["low"] < np.log(150 / 420) < found["high"]
    few = key_series(averages_of((8, 16, 32)), settings_of())
    assert log_ratio_of_bends(few["trace_ratio"], few["effective_rank"]) is None


def test_the_eye_sees_another_bend_than_the_law():
    ratio, rank, _ = series_of()
    seen = eye_reading(rank, "narrow")
    assert seen["transition"]["value"] > 1.4 * 150
    assert seen["exponent"]["value"] < 0.9
    assert eye_reading(ratio, "wide")["exponent"]["value"] > -1


def test_infinite_width_is_read_from_its_file(tmp_path):
    content = {**vars(TRACE), "bend": 1.0, "effective_rank": 167.0}
    write_record(tmp_path / "a.json", content, origin("infinite width"))
    assert read_infinite_width(tmp_path / "a.json") == (TRACE, 167.0)
