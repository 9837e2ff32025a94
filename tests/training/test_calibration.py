import itertools
import math
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ntklens.storage.records import write_record
from ntklens.training.calibration import CalibrationError, calibrate
from ntklens.training.learning_rates import LearningRates, read_rate
from ntklens.training.rate_trials import Goal, Pace, Trial

from tests.support.origins import origin

GOAL = Goal(first=160, last=400, tolerance=1.2, share=0.6)
NARROW = Goal(first=30, last=90, tolerance=1.2, share=0.6)
TARGET = GOAL.target
ANCHORS = [8, 32, 128, 512]


def trial_of(scale, rate, epochs, largest_epoch=10**9):
    """A trial of seeds with minima at ``epochs``; those after ``largest_epoch`` are cut off there."""
    cut = tuple(None if epoch is None else min(round(epoch), largest_epoch) for epoch in epochs)
    return Trial(scale, rate, cut, tuple(bool(epoch) and epoch > largest_epoch for epoch in epochs))


def network(c, largest_epoch=10**9, largest_rate=math.inf):
    """A `run_trial` whose minimum comes at epoch c(scale) / rate, for two seeds.

    Later ones than ``largest_epoch`` are cut off there; above ``largest_rate`` both seeds diverge.
    """

    def run_trial(scale, rate):
        epoch = max(1, c(scale) / rate) if rate <= largest_rate else None
        return trial_of(scale, rate, (epoch, epoch), largest_epoch)

    return run_trial


def seeds(*responses, largest_epoch=1200):
    """A `run_trial` in which each seed's minimum is a function of the rate alone."""
    return lambda scale, rate: trial_of(
        scale, rate, [response(rate) for response in responses], largest_epoch
    )


def power_law(scale):
    return 2.0 * scale**-0.6


def found(run_trial, anchors=ANCHORS, goal=GOAL, max_trials=8, first_rate=0.001):
    return calibrate(run_trial, anchors, goal, max_trials, first_rate)


def failure(run_trial, **options):
    """The message of a calibration at scale 8 that fails."""
    with pytest.raises(CalibrationError) as caught:
        found(run_trial, anchors=[8], **options)
    return str(caught.value)


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


def test_second_trial_follows_adams_law():
    calibration = found(network(power_law), anchors=[8], first_rate=power_law(8) / 900)
    assert len(calibration.trials) == 2
    assert calibration.trials[1].rate == pytest.approx(power_law(8) / TARGET)


def test_trial_within_tolerance_is_corrected_by_its_miss():
    calibration = found(seeds(lambda rate: 300), anchors=[8], first_rate=0.01)
    assert calibration.at(8) == pytest.approx(0.01 * 300 / TARGET)


def test_correction_follows_the_measured_slope():
    """Adam's law leads from epoch 500 to 290, which is close enough; the rest of the way is longer."""
    law = seeds(lambda rate: 500 * (rate / 0.01) ** -0.8)
    calibration = found(law, anchors=[8], first_rate=0.01)
    assert [trial.epochs for trial in calibration.trials] == [(500,), (290,)]
    assert calibration.at(8) == pytest.approx(0.01 * (500 / TARGET) ** (1 / 0.8), rel=0.003)


def test_correction_is_no_larger_than_the_tolerance():
    """The trials give a slope of -1/4, with which the correction would be by a factor 2."""
    epochs = iter([400, 300])
    calibration = found(lambda scale, rate: trial_of(scale, rate, [next(epochs)]), anchors=[8])
    slow, right = calibration.trials
    assert slow.rate < right.rate
    assert right.rate * 1.1 < calibration.at(8) <= right.rate * 1.2 * (1 + 1e-9)


def test_correction_stays_away_from_rates_that_were_wrong():
    """The epochs grow with the rate from the third trial to the fourth, so that they give no slope."""
    epochs = iter([1000, 60, 500, 300])
    calibration = found(lambda scale, rate: trial_of(scale, rate, [next(epochs)]), anchors=[8])
    slow, fast, low, right = (trial.rate for trial in calibration.trials)
    assert slow < low < right < calibration.at(8) <= math.sqrt(right * fast)


def test_converges_although_the_first_trials_diverge():
    calibration = found(network(power_law, largest_rate=0.01), anchors=[8], first_rate=1.0)
    assert calibration.trials[0].diverged
    assert calibration.at(8) == pytest.approx(power_law(8) / TARGET, rel=0.01)


def test_converges_although_the_first_trials_are_censored():
    calibration = found(network(power_law, largest_epoch=1200), anchors=[8], first_rate=1e-5)
    assert all(calibration.trials[0].censored)
    assert calibration.at(8) == pytest.approx(power_law(8) / TARGET, rel=0.01)


def test_censored_trial_near_the_target_is_not_accepted():
    calibration = found(network(power_law, largest_epoch=260), anchors=[8], first_rate=1e-4)
    assert calibration.trials[0].epochs == (260, 260)
    assert len(calibration.trials) > 1
    assert not any(calibration.trials[-1].censored)


@pytest.mark.parametrize("exponent", [-0.5, -2, -3.5])
def test_other_laws_than_adams_are_followed(exponent):
    """The rate 0.003 puts the minimum at the target; the first rates are far off."""
    for first_rate in (1e-4, 1e-3, 0.02):
        law = seeds(lambda rate: TARGET * (rate / 0.003) ** exponent)
        calibration = found(law, anchors=[8], first_rate=first_rate)
        assert calibration.at(8) == pytest.approx(0.003, rel=0.03)


def test_a_step_too_large_for_its_law_does_not_swing_back_and_forth():
    """From rate 0.005 to 0.0065 the epoch falls from 1000 to 60: Adam's law would lead to and fro."""

    def steep(rate):
        return 1000 if rate < 0.005 else max(60, 1000 * (rate / 0.005) ** -12)

    calibration = found(seeds(steep, steep, steep), anchors=[8], first_rate=0.004)
    assert 160 < steep(calibration.at(8)) < 400


def test_minima_on_both_sides_of_the_window_are_refused():
    """Their geometric mean without the zero is 53, the target 52."""
    message = failure(seeds(lambda rate: 0, lambda rate: 5, lambda rate: 555), goal=NARROW)
    assert message.startswith(
        "at scale 8, none of 8 rates put the minimum test loss of 2 of 3 seeds into epochs 30 to 90: "
        "seed 0: the test loss never improves at any rate tried; "
        "seed 1: the minimum is at 5 or earlier at every rate tried; "
        "seed 2: the minimum is at 555 or later at every rate tried; at most 0 of 3 were inside at one rate ("
    )
    assert "0.001 → (0, 5, 555)" in message
    assert message.endswith("or give a learning_rate")
    assert "\n" not in message


def test_jump_over_the_window_is_named_with_its_rates():
    def jump(rate):
        return 555 if rate < 0.0101 else 5

    message = failure(seeds(jump, lambda rate: 0, jump), goal=NARROW, first_rate=0.005, max_trials=20)
    match = re.search(
        r"seeds 0 and 2: the minimum jumps from 555 to 5 between rates (\S+) and (\S+); seed 1: the test "
        "loss never improves",
        message,
    )
    low, high = map(float, match.groups())
    assert low < 0.0101 < high < 1.06 * low


@pytest.mark.parametrize(
    ("beyond", "words"), [(None, "it diverges"), (0, "the test loss never improves")], ids=str
)
def test_rate_beyond_which_there_is_no_minimum_is_named(beyond, words):
    message = failure(seeds(lambda rate: 555 if rate < 0.0101 else beyond), goal=NARROW, max_trials=20)
    match = re.search(rf"the minimum is at 555 at rate (\S+), and {words} at rate (\S+);", message)
    low, high = map(float, match.groups())
    assert low < 0.0101 < high


def test_search_ends_at_a_jump_before_its_trials_do():
    message = failure(seeds(lambda rate: 555 if rate < 0.0101 else 5), goal=NARROW, max_trials=1000)
    assert int(re.search(r"none of (\d+) rates", message)[1]) <= 10


def test_network_that_diverges_raises_with_scale_and_trials():
    message = failure(network(power_law, largest_rate=0.0), max_trials=3)
    assert "at scale 8, none of 3 rates" in message
    assert "seeds 0 and 1: it diverges at every rate tried; at most 0 of 2" in message
    assert (
        "0.001 → (diverged, diverged), 0.000125 → (diverged, diverged), 1.563e-05 → (diverged, diverged)"
        in message
    )


def test_minimum_that_never_comes_raises_with_scale_and_trials():
    message = failure(network(lambda scale: 1e12, largest_epoch=300), max_trials=2)
    assert "at scale 8, none of 2 rates" in message
    assert "seeds 0 and 1: the minimum is at 300 or later at every rate tried" in message
    assert "0.001 → (300 or later, 300 or later), 0.002372 → (300 or later, 300 or later)" in message
    assert "raise max_epochs" in message


def test_one_seed_that_never_improves_does_not_stop_the_others():
    law = network(power_law)
    calibration = found(lambda scale, rate: trial_of(scale, rate, (0, *law(scale, rate).epochs)), anchors=[8])
    assert calibration.at(8) == pytest.approx(power_law(8) / TARGET, rel=0.01)


def test_one_seed_that_never_improves_is_named_if_all_are_needed():
    message = failure(
        seeds(lambda rate: 0, lambda rate: 0.253 / rate), goal=replace(GOAL, share=1.0), max_trials=4
    )
    assert (
        "seed 0: the test loss never improves at any rate tried; seed 1: the minimum is inside at" in message
    )
    assert "at most 1 of 2 was inside at one rate" in message


def test_seeds_that_are_never_inside_together_are_named_with_their_rates():
    apart = seeds(lambda rate: 0.16 / rate, lambda rate: 0.42 / rate)
    message = failure(apart, max_trials=30)
    assert re.search(r"seed 0: the minimum is inside at rates? .*; seed 1: .*; at most 1 of 2 was", message)


def test_minima_that_jump_inside_the_window_are_good_enough():
    """170 is nearer to the target, 253, than 390."""
    calibration = found(seeds(lambda rate: 170 if rate > 0.002 else 390), anchors=[8])
    assert len(calibration.trials) < 8  # the jump was closed in on
    early = [trial.rate for trial in calibration.trials if trial.epochs == (170,)]
    assert any(calibration.at(8) == pytest.approx(rate) for rate in early)


def test_of_rates_that_are_good_enough_the_one_with_most_seeds_inside_is_taken():
    epochs = iter([(170, 170, 250), (170, 600, 170), (390, 390, 800)])
    calibration = found(lambda scale, rate: trial_of(scale, rate, next(epochs)), anchors=[8], max_trials=3)
    assert calibration.at(8) == pytest.approx(0.001)


def test_rate_at_which_a_seed_diverges_is_not_good_enough():
    message = failure(seeds(lambda rate: 250, lambda rate: 250, lambda rate: None), max_trials=3)
    assert "seeds 0 and 1: the minimum is inside at rates" in message
    assert "seed 2: it diverges at every rate tried; at most 0 of 3 were inside at one rate" in message


def test_not_monotonic_response_is_searched_through():
    """From 0.002 to 0.004 the minimum comes later at larger rates; 0.0126 is the only right rate."""

    def waves(rate):
        return TARGET * (0.0126 / rate) * math.exp(0.9 * math.sin(3 * math.log(rate)))

    law = seeds(waves, waves, largest_epoch=10**6)
    for first_rate in (1e-4, 1e-3, 0.02, 0.5):
        calibration = found(law, anchors=[8], first_rate=first_rate, max_trials=12)
        assert waves(calibration.at(8)) == pytest.approx(TARGET, rel=0.2)


def test_failure_at_a_later_anchor_names_that_one_alone():
    def run_trial(scale, rate):
        if scale == 128:
            return trial_of(scale, rate, (None,))
        return network(power_law)(scale, rate)

    with pytest.raises(CalibrationError, match="at scale 128, none of 4 rates") as caught:
        found(run_trial, max_trials=4)
    tried = str(caught.value).partition("never improved: ")[2]
    assert tried.count("→") == tried.count("→ (diverged)") == 4


def test_anchor_off_the_smooth_curve_raises_with_scale_and_rates():
    def outlier(scale):
        return power_law(scale) * (30 if scale == 128 else 1)

    with pytest.raises(
        CalibrationError, match=r"smooth curve gives rate \S+ at scale \d+, .*drop that anchor"
    ):
        found(network(outlier))


@st.composite
def monotonic_responses(draw):
    """A response whose log epoch falls with the log rate, in pieces with slopes from -4 to -1/4.

    It reaches the target between rates 1e-6 and 1, and is cut off at an epoch or by divergence, or neither.
    """
    knots = sorted(draw(st.lists(st.floats(-14, 0), min_size=1, max_size=6)))
    slopes = draw(st.lists(st.floats(-4, -0.25), min_size=len(knots) + 1, max_size=len(knots) + 1))
    right = draw(st.floats(-14, 0))
    largest_epoch = draw(st.sampled_from([420, 1200, 10**9]))
    divergence = right + draw(st.floats(0.2, 20))

    def integral(log_rate):
        edges = [-100.0, *knots, 100.0]
        return sum(
            slope * max(0.0, min(log_rate, high) - low)
            for slope, low, high in zip(slopes, edges, edges[1:], strict=False)
        )

    def run_trial(scale, rate):
        log_rate = math.log(rate)
        if log_rate > divergence:
            return trial_of(scale, rate, (None,) * 3)
        epoch = TARGET * math.exp(min(integral(log_rate) - integral(right), 30.0))
        return trial_of(scale, rate, [max(1, epoch * spread) for spread in (0.9, 1, 1.1)], largest_epoch)

    return run_trial, right


@given(monotonic_responses())
@settings(max_examples=100, deadline=None)
def test_every_monotonic_response_is_calibrated(response):
    """From 0.001, four trials reach the far ends of the range, and ten more halve the bracket five times."""
    run_trial, _ = response
    trials = found(run_trial, anchors=[8], max_trials=14).trials
    assert GOAL.pace(trials[-1]) is Pace.RIGHT


@given(
    st.lists(st.sampled_from([None, 0, 1, 5, 160, 200, 253, 300, 400, 555, 1200]), min_size=3, max_size=24)
)
@settings(max_examples=50, deadline=None)
def test_any_data_end_in_a_rate_or_in_a_message(epochs):
    """However wild the minima: rates stay positive and finite, and the message is one line."""
    stream = itertools.cycle(epochs)

    def run_trial(scale, rate):
        assert 0 < rate < math.inf
        return trial_of(scale, rate, [next(stream) for _ in range(3)], largest_epoch=1199)

    try:
        trials = found(run_trial, anchors=[8], max_trials=30).trials
    except CalibrationError as error:
        message = str(error)
        assert "\n" not in message
    else:
        assert any(map(GOAL.has_enough_inside, trials))


def test_rate_is_a_polynomial_in_logarithms():
    quadratic = LearningRates((0.1, -2.0, 3.0))
    assert quadratic.at(math.e**2) == pytest.approx(math.exp(0.1 * 4 - 2 * 2 + 3))


def test_rate_read_from_a_file_is_the_curves(tmp_path):
    calibration = found(network(power_law))
    content = {"coefficients": calibration.coefficients, "trials": []}
    write_record(tmp_path / "rates.json", content, origin("learning rates"))
    assert read_rate(tmp_path / "rates.json", 100) == calibration.at(100)
