from dataclasses import replace

import numpy as np
import pytest
from ntklens.analysis.curve_laws import power_law_of
from ntklens.analysis.series import key_series
from ntklens.storage.curve import Curve

from tests.support.ensembles import RANK, RATIO, TRACE, WIDTHS, averages_of, settings_of


def minima(averages, name):
    return [average.minimum[name] for average in averages]


@pytest.fixture(scope="module")
def noisy():
    averages = averages_of(noise=0.3)
    return averages, key_series(averages, settings_of())


def test_values_without_noise_are_the_laws():
    series = key_series(averages_of(), settings_of())
    widths = np.array(WIDTHS, float)
    np.testing.assert_allclose(series["effective_rank"].value, RANK(widths))
    np.testing.assert_allclose(series["initial_trace"].value, TRACE(widths))
    for name in ("trace_ratio", "mean_trace_ratio"):
        np.testing.assert_allclose(series[name].value, RATIO(widths))
    np.testing.assert_allclose(series["trace_gain"].value, 15 * 4e4)
    np.testing.assert_allclose(series["adaptation_rate"].value, widths)
    for own in series.values():
        np.testing.assert_allclose(own.resampled, np.tile(own.value, (200, 1)), rtol=1e-5)


def test_means_have_the_standard_error(noisy):
    averages, series = noisy
    for name in ("test_loss", "effective_rank", "initial_trace"):
        own = np.array(minima(averages, name))
        np.testing.assert_allclose(series[name].value, own.mean(axis=1))
        np.testing.assert_allclose(series[name].error, own.std(axis=1, ddof=1) / np.sqrt(5))


def test_trace_ratio_is_the_ratio_of_means_and_the_mean_of_ratios_stands_beside_it(noisy):
    averages, series = noisy
    ratio, trace = (np.array(minima(averages, name)) for name in ("trace_ratio", "initial_trace"))
    np.testing.assert_allclose(series["trace_ratio"].value, (ratio * trace).sum(axis=1) / trace.sum(axis=1))
    np.testing.assert_allclose(series["mean_trace_ratio"].value, ratio.mean(axis=1))


def test_one_narrow_network_dominates_the_mean_of_ratios_alone():
    averages = averages_of(scales=(8,), members=2)
    minimum = dict(averages[0].minimum)
    minimum["initial_trace"], minimum["trace_ratio"] = np.array([100.0, 1.0]), np.array([1.0, 99.0])
    series = key_series([replace(averages[0], minimum=minimum)], settings_of())
    assert series["mean_trace_ratio"].value[0] == 50
    assert series["trace_ratio"].value[0] == pytest.approx(199 / 101)


def test_members_stay_whole():
    """Members whose gain is 3 times their trace have this ratio in every resample, however they differ."""
    averages = averages_of(noise=0.0)
    rng = np.random.default_rng(0)
    spread = [
        replace(
            one,
            minimum={**one.minimum, "initial_trace": rng.uniform(1, 9, 5), "trace_ratio": np.full(5, 3.0)},
        )
        for one in averages
    ]
    series = key_series(spread, settings_of())
    np.testing.assert_allclose(series["trace_ratio"].resampled, 3)
    assert np.std(series["trace_gain"].resampled[:, 0]) > 0
    np.testing.assert_allclose(
        np.argsort(series["trace_gain"].resampled[:, 0]), np.argsort(series["initial_trace"].resampled[:, 0])
    )


def test_a_seed_that_is_good_at_all_points_moves_them_together():
    averages = averages_of()
    lucky = np.array([1.0, 1.1, 1.2, 1.3, 1.4])
    same = [replace(one, minimum={**one.minimum, "effective_rank": lucky * one.scale}) for one in averages]
    series = key_series(same, settings_of())["effective_rank"]
    np.testing.assert_allclose(series.resampled[:, 0] / 8, series.resampled[:, -1] / 1024, rtol=1e-6)
    assert series.correlation == pytest.approx(0.99)


@pytest.mark.parametrize("correlation", [0.0, 0.35])
def test_intervals_of_a_slope_hold_it_in_95_percent_whether_or_not_widths_are_correlated(correlation):
    rng, trials, held = np.random.default_rng(5), 150, 0
    for _ in range(trials):
        noise = rng.standard_normal((len(WIDTHS), 5))
        for own, before in zip(noise[1:], noise, strict=False):
            own[:] = correlation * before + np.sqrt(1 - correlation**2) * own
        averages = [
            replace(one, minimum={**one.minimum, "effective_rank": one.scale**0.5 * np.exp(0.2 * own)})
            for one, own in zip(averages_of(), noise, strict=True)
        ]
        series = key_series(averages, settings_of(curve=Curve("a", "b", f"{rng.integers(2**62)}")))
        exponent = power_law_of(series["effective_rank"], np.full(len(WIDTHS), True))["exponent"]
        held += exponent["low"] <= 0.5 <= exponent["high"]
    assert held / trials == pytest.approx(0.95, abs=0.05)


def test_resamples_spread_no_less_than_the_standard_error(noisy):
    _, series = noisy
    own = series["effective_rank"]
    spread = np.log(own.resampled).std(axis=0)
    assert np.all(spread > 0.85 * own.error / own.value)
    pooled = np.sqrt(own.variances.pooled)
    assert np.all(spread > 0.85 * pooled)


def test_the_same_curve_gives_the_same_numbers_and_another_name_others():
    averages = averages_of(noise=0.3)
    one, same, other = (
        key_series(averages, settings_of(curve=Curve("a", "b", name)))["test_loss"].resampled
        for name in "ccd"
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_minus_chi_has_resamples_of_its_own_minima(noisy):
    averages, series = noisy
    own = series["adaptation_rate"]
    slopes = [-one.members["ntk_trace"][:, 1] / one.members["log_train_loss"][:, 1] for one in averages]
    np.testing.assert_allclose(own.value, [slope.mean() for slope in slopes], rtol=1e-5)
    np.testing.assert_allclose(own.error, [slope.std(ddof=1) / np.sqrt(5) for slope in slopes], rtol=1e-4)


def test_a_single_member_has_values_without_resamples():
    series = key_series(averages_of(members=1), settings_of())
    for own in series.values():
        assert own.resampled.shape == (0, 8)
        assert np.isnan(own.error).all()
        assert np.isfinite(own.value).all()
