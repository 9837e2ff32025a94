import numpy as np
import pytest
from ntklens.analysis.intervals import ends, exponential, interval

EVEN = np.arange(1.0, 1002.0)


def test_interval_holds_95_percent():
    found = interval(500.0, EVEN[::-1])
    assert (found["low"], found["value"], found["high"]) == (26.0, 500.0, 976.0)
    assert found["low_open"] is found["high_open"] is False
    assert found["below"] == found["above"] == found["failed"] == 0


@pytest.mark.parametrize("share", [0.01, 0.1])
def test_censored_resamples_are_counted_and_open_an_end_where_they_are_many(share):
    values = EVEN.copy()
    values[-round(share * len(EVEN)) :] = np.inf
    found = interval(500.0, values)
    assert found["above"] == round(share * len(EVEN))
    assert found["high_open"] == (share > 0.025)
    assert (found["high"] is None) == found["high_open"]
    assert found["low"] == 26.0


def test_failed_resamples_widen_both_ends():
    values = EVEN.copy()
    values[::100] = np.nan
    found = interval(500.0, values)
    assert found["failed"] == 11
    assert found["low"] < 26
    assert found["high"] > 976
    values[: len(values) // 10] = np.nan
    found = interval(500.0, values)
    assert found["low"] is found["high"] is None
    assert found["low_open"]
    assert found["high_open"]


def test_a_censored_value_is_none():
    assert interval(np.inf, EVEN)["value"] is None
    assert interval(np.nan, EVEN)["value"] is None


def test_without_resamples_the_interval_is_unknown_and_not_open():
    found = interval(3.0, np.empty(0))
    assert found["value"] == 3
    assert found["low"] is found["high"] is None
    assert found["low_open"] is found["high_open"] is False


def test_ends_of_several_columns_are_those_of_each():
    columns = np.stack([EVEN, -EVEN, np.full(len(EVEN), np.nan)], axis=1)
    low, high = ends(columns)
    np.testing.assert_array_equal(low, [26, -976, -np.inf])
    np.testing.assert_array_equal(high, [976, -26, np.inf])


def test_the_exponential_keeps_what_is_open():
    logs = np.log(EVEN)
    logs[:100] = -np.inf
    found = exponential(interval(np.log(500.0), logs))
    assert found["value"] == pytest.approx(500)
    assert found["low"] is None
    assert found["low_open"]
    assert found["high"] == pytest.approx(976)
