import numpy as np
import pytest
from ntklens.analysis.laws import (
    BrokenPowerLaw,
    LimitedPowerLaw,
    fit_broken_power_law,
    fit_limited_power_law,
    fit_power_law,
)

WIDTHS = 2.0 ** np.arange(3, 13)


def noise(size, relative, seed=0):
    return np.exp(relative * np.random.default_rng(seed).standard_normal(size))


def broken(bend=200.0, below=0.4, above=-0.1):
    return BrokenPowerLaw(30.0, bend, below, above, 0.0, 0.0, 0.0)


def test_power_law_without_noise_is_recovered():
    law = fit_power_law(WIDTHS, 3 * WIDTHS**-0.8)
    assert law.amplitude == pytest.approx(3)
    assert law.exponent == pytest.approx(-0.8)
    assert law.exponent_error == pytest.approx(0, abs=1e-12)
    assert law(100.0) == pytest.approx(3 * 100**-0.8)


def test_power_law_error_covers_the_truth():
    """The exponent lies within two errors of the truth in about 95 % of many noisy curves."""
    hits = 0
    for seed in range(200):
        law = fit_power_law(WIDTHS, WIDTHS**0.5 * noise(len(WIDTHS), 0.1, seed))
        hits += abs(law.exponent - 0.5) < 2.3 * law.exponent_error  # Student's t, 8 degrees
    assert 180 <= hits <= 199


def test_power_law_of_two_points_has_no_error():
    law = fit_power_law([1, 10], [1, 100])
    assert law.exponent == pytest.approx(2)
    assert law.exponent_error is None


@pytest.mark.parametrize(("x", "y"), [([1, 2, 3], [1, -1, 2]), ([0, 1, 2], [1, 1, 1])])
def test_power_law_of_values_not_positive_raises(x, y):
    with pytest.raises(ValueError, match="positive"):
        fit_power_law(x, y)


def test_power_law_of_one_point_raises():
    with pytest.raises(ValueError, match="too few"):
        fit_power_law([1], [1])


def test_limited_power_law_is_recovered():
    law = fit_limited_power_law(WIDTHS, 0.8 + 5 * WIDTHS**-1.0)
    assert law.limit == pytest.approx(0.8, rel=1e-4)
    assert law.exponent == pytest.approx(-1, rel=1e-4)
    assert law.amplitude == pytest.approx(5, rel=1e-3)


def test_limited_power_law_is_recovered_from_noise():
    truth = LimitedPowerLaw(0.8, 5.0, -1.0, 0.0, 0.0)
    law = fit_limited_power_law(WIDTHS, truth(WIDTHS) * noise(len(WIDTHS), 0.01))
    assert abs(law.exponent + 1) < 3 * law.exponent_error < 0.5
    assert abs(law.limit - 0.8) < 3 * law.limit_error


def test_plain_power_law_needs_no_limit():
    assert fit_limited_power_law(WIDTHS, 5 * WIDTHS**-0.5 * noise(len(WIDTHS), 0.02)) is None


def test_rising_curve_has_no_limited_power_law():
    assert fit_limited_power_law(WIDTHS, WIDTHS**0.3) is None


@pytest.mark.parametrize(
    ("bend", "below", "above"), [(200.0, 0.4, -0.1), (500.0, 0.0, -0.8), (60.0, 0.25, 0.0)]
)
def test_broken_power_law_is_recovered(bend, below, above):
    law, reason = fit_broken_power_law(WIDTHS, broken(bend, below, above)(WIDTHS))
    assert reason == ""
    assert law.bend == pytest.approx(bend, rel=1e-4)
    assert law.below == pytest.approx(below, abs=1e-4)
    assert law.above == pytest.approx(above, abs=1e-4)
    assert law.amplitude == pytest.approx(30, rel=1e-4)


def test_broken_power_law_is_recovered_from_noise():
    law, _ = fit_broken_power_law(WIDTHS, broken()(WIDTHS) * noise(len(WIDTHS), 0.03))
    assert abs(np.log(law.bend / 200)) < 3 * law.log_bend_error
    assert abs(law.below - 0.4) < 3 * law.below_error


def test_broken_power_law_is_its_asymptotes_far_from_the_bend():
    law = broken(bend=100.0)
    slopes = np.gradient(np.log(law(WIDTHS**4)), np.log(WIDTHS**4))
    assert slopes[-1] == pytest.approx(-0.1, abs=1e-6)
    assert law(100.0) == pytest.approx(30)


def test_straight_curve_has_no_bend():
    law, reason = fit_broken_power_law(WIDTHS, WIDTHS**0.3 * noise(len(WIDTHS), 0.02))
    assert law is None
    assert "plain power law" in reason


@pytest.mark.parametrize("bend", [6.0, 6000.0])
def test_bend_beyond_the_scales_is_not_identified(bend):
    law, reason = fit_broken_power_law(WIDTHS, broken(bend, 1.5, -1.0)(WIDTHS) * noise(len(WIDTHS), 1e-3))
    assert law is None
    assert reason


def test_too_few_scales_have_no_bend():
    law, reason = fit_broken_power_law([1, 2, 3], [1, 2, 3])
    assert law is None
    assert "too few" in reason
