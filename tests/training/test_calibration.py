import math

import pytest
from ntklens.storage.files import write_json
from ntklens.training.calibration import (
    CalibrationError,
    Trial,
    calibrate,
    corrected_rate,
)
from ntklens.training.learning_rates import LearningRates, read_rate

TARGET = 253.0
ANCHORS = [8, 32, 128, 512]


def network(c, largest_epoch=10**9, largest_rate=math.inf):
    """A `run_trial` whose minimum comes at epoch c(scale) / rate, for two seeds.

    Later ones than ``largest_epoch`` are cut off there; above ``largest_rate`` both seeds diverge.
    """

    def run_trial(scale, rate):
        if rate > largest_rate:
            return Trial(scale, rate, (None, None), censored=False)
        epoch = max(1, round(c(scale) / rate))
        return Trial(scale, rate, (min(epoch, largest_epoch),) * 2, censored=epoch > largest_epoch)

    return run_trial


def power_law(scale):
    return 2.0 * scale**-0.6


def found(run_trial, anchors=ANCHORS, tolerance=1.2, max_trials=8, first_rate=0.001):
    return calibrate(run_trial, anchors, TARGET, tolerance, max_trials, first_rate)


@pytest.mark.parametrize("first_rate", [1e-6, 1e-4, 1e-3, 0.1])
def test_rates_put_the_minimum_at_the_target(first_rate):
    calibration = found(network(power_law), first_rate=first_rate)
    for scale in [8, 16, 64, 200, 512]:
        assert calibration.at(scale) == pytest.approx(power_law(scale) / TARGET, rel=0.02)


def test_slow_change_of_exponent_is_followed():
    def bent(scale):
        return math.exp(-0.3 * math.log(scale) - 0.05 * math.log(scale) ** 2)

    calibration = found(network(bent))
    for scale in [4, 8, 90, 512, 2048]:
        assert calibration.at(scale) == pytest.approx(bent(scale) / TARGET, rel=0.02)


def test_one_anchor_gives_one_rate_for_all_scales():
    calibration = found(network(power_law), anchors=[32])
    assert calibration.at(8) == calibration.at(512) == pytest.approx(power_law(32) / TARGET, rel=0.01)


def test_two_anchors_give_a_power_law():
    calibration = found(network(power_law), anchors=[8, 512])
    assert calibration.at(64) == pytest.approx(power_law(64) / TARGET, rel=0.02)


def test_later_anchors_start_from_the_curve_through_earlier_ones():
    calibration = found(network(power_law))
    counts = [sum(trial.scale == scale for trial in calibration.trials) for scale in ANCHORS]
    assert counts[2:] == [1, 1]
    assert counts[0] > 1


def test_first_rate_that_hits_needs_one_trial():
    calibration = found(network(power_law), anchors=[8], first_rate=power_law(8) / TARGET)
    assert [trial.rate for trial in calibration.trials] == [power_law(8) / TARGET]


def test_trial_within_tolerance_is_corrected_by_its_miss():
    def run_trial(scale, rate):
        return Trial(scale, rate, (300,), censored=False)

    assert found(run_trial, anchors=[8], first_rate=0.01).at(8) == pytest.approx(0.01 * 300 / TARGET)


def test_converges_although_the_first_trials_diverge():
    calibration = found(network(power_law, largest_rate=0.01), anchors=[8], first_rate=1.0)
    assert calibration.trials[0].epoch is None
    assert calibration.at(8) == pytest.approx(power_law(8) / TARGET, rel=0.01)


def test_converges_although_the_first_trials_are_censored():
    calibration = found(network(power_law, largest_epoch=1200), anchors=[8], first_rate=1e-5)
    assert calibration.trials[0].censored
    assert calibration.at(8) == pytest.approx(power_law(8) / TARGET, rel=0.01)


def test_censored_trial_near_the_target_is_not_accepted():
    calibration = found(network(power_law, largest_epoch=260), anchors=[8], first_rate=1e-4)
    assert calibration.trials[0].epoch == pytest.approx(260)
    assert len(calibration.trials) > 1
    assert not calibration.trials[-1].censored


def test_network_that_never_trains_raises_with_scale_and_trials():
    with pytest.raises(CalibrationError, match=r"at scale 8, 3 trials .* of epoch 253") as caught:
        found(network(power_law, largest_rate=0.0), max_trials=3)
    assert "0.001 → (None, None), 0.000125 → (None, None), 1.56e-05 → (None, None)" in str(caught.value)


def test_minimum_that_never_comes_raises_with_scale_and_trials():
    with pytest.raises(CalibrationError, match=r"at scale 8, 2 trials .*raise max_epochs") as caught:
        found(network(lambda scale: 1e12, largest_epoch=300), max_trials=2)
    assert "0.001 → (300, 300), 0.00237 → (300, 300)" in str(caught.value)


def test_failure_at_a_later_anchor_names_that_one_alone():
    def run_trial(scale, rate):
        if scale == 128:
            return Trial(scale, rate, (None,), censored=False)
        return network(power_law)(scale, rate)

    with pytest.raises(CalibrationError, match="at scale 128, 4 trials") as caught:
        found(run_trial, max_trials=4)
    tried = str(caught.value).partition("each seed's minimum: ")[2]
    assert tried.count("→") == tried.count("→ (None,)") == 4


def test_anchor_off_the_smooth_curve_raises_with_scale_and_rates():
    def outlier(scale):
        return power_law(scale) * (30 if scale == 128 else 1)

    with pytest.raises(
        CalibrationError, match=r"smooth curve gives rate \S+ at scale \d+, .*drop that anchor"
    ):
        found(network(outlier))


def test_epoch_is_the_geometric_mean_over_the_seeds():
    assert Trial(8, 0.1, (100, 400), censored=False).epoch == pytest.approx(200)


def test_seeds_that_never_improved_do_not_count():
    """Their least test loss is the initial one, at any rate."""
    assert Trial(8, 0.1, (100, 0, 400), censored=False).epoch == pytest.approx(200)
    assert Trial(8, 0.1, (0, 0), censored=False).epoch is None


def test_trial_with_a_diverged_seed_has_no_epoch():
    assert Trial(8, 0.1, (100, None), censored=False).epoch is None


@pytest.mark.parametrize(
    ("epochs", "censored", "factor"),
    [
        ((None,), False, 1 / 8),
        ((100, None), True, 1 / 8),
        ((0, 0), False, 1 / 8),
        ((400,), False, 2),
        ((100,), False, 1 / 2),
        ((1,), False, 1 / 8),
        ((100000,), False, 8),
        ((600,), True, 6),
        ((100,), True, 2),
        ((1000,), True, 8),
    ],
    ids=[
        "diverged",
        "one-diverged",
        "none-improved",
        "late",
        "early",
        "far-early",
        "far-late",
        "censored",
        "censored-early",
        "cap",
    ],
)
def test_next_rate_follows_the_miss(epochs, censored, factor):
    assert corrected_rate(Trial(8, 0.01, epochs, censored), target=200.0) == pytest.approx(0.01 * factor)


def test_rate_is_a_polynomial_in_logarithms():
    quadratic = LearningRates((0.1, -2.0, 3.0))
    assert quadratic.at(math.e**2) == pytest.approx(math.exp(0.1 * 4 - 2 * 2 + 3))


def test_rate_read_from_a_file_is_the_curves(tmp_path):
    calibration = found(network(power_law))
    write_json(tmp_path / "rates.json", {"coefficients": calibration.coefficients, "trials": []})
    assert read_rate(tmp_path / "rates.json", 100) == calibration.at(100)
