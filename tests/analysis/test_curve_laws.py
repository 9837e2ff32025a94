import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ntklens.analysis.curve_laws import BENT_FORMS, laws_of
from ntklens.analysis.laws import BentLaw, PowerLaw
from ntklens.analysis.series import key_series

from tests.support.ensembles import averages_of, settings_of


def laws(name, averages, resamples=200):
    series = key_series(averages, settings_of(resamples))
    return laws_of(name, series[name], np.random.default_rng(0))


@pytest.mark.parametrize(
    ("name", "bend", "level", "power"),
    [
        ("trace_ratio", 420.0, 15.0, None),
        ("mean_trace_ratio", 420.0, 15.0, None),
        ("initial_trace", 420.0, 4e4, None),
        ("effective_rank", 150.0, 110.0, 0.9),
        ("test_loss", 30.0, 0.4, 1.2),
    ],
)
def test_laws_without_noise_come_back(name, bend, level, power):
    found = laws(name, averages_of())["bent_law"]
    assert found["bend"]["value"] == pytest.approx(bend, rel=1e-5)
    assert found["level"]["value"] == pytest.approx(level, rel=1e-5)
    assert (found["power"] and found["power"]["value"]) == (power and pytest.approx(power, rel=1e-5))
    assert found["window"] == [8, 1024]


def test_slopes_have_their_windows():
    found = laws("effective_rank", averages_of(rank=PowerLaw(20.0, 0.4)))
    assert found["power_law"]["exponent"]["value"] == pytest.approx(0.4)
    assert found["power_law"]["amplitude"] == pytest.approx(20)
    assert (found["power_law"]["window"], found["last_octaves"]["window"]) == ([8, 1024], [256, 1024])
    crossover = laws("trace_ratio", averages_of())["last_octaves"]["exponent"]["value"]
    log_ratio = np.log(15 / (1 + np.array([256, 512, 1024]) / 420))
    assert crossover == pytest.approx(np.polyfit(np.log([256, 512, 1024]), log_ratio, 1)[0], rel=1e-5)


def test_intervals_hold_the_truth_of_a_typical_ensemble():
    found = laws("trace_ratio", averages_of(noise=0.1), resamples=500)["bent_law"]
    for name, truth in (("bend", 420.0), ("level", 15.0)):
        assert found[name]["low"] < truth < found[name]["high"]
        assert found[name]["below"] == found[name]["above"] == found[name]["failed"] == 0


def test_a_bend_beyond_the_scales_is_censored_not_dropped():
    found = laws("effective_rank", averages_of(noise=0.05, rank=PowerLaw(20.0, 0.4)))["bent_law"]["bend"]
    assert found["above"] + found["below"] + found["failed"] > 50
    assert found["high"] is None
    assert found["high_open"]


def test_a_slow_power_law_is_given_no_tight_bend():
    found = laws("effective_rank", averages_of(members=20, noise=0.02, rank=PowerLaw(60.0, 0.06)))["bent_law"]
    assert found["bend"]["low"] is None or found["bend"]["high"] is None


@pytest.mark.parametrize("name", ["trace_ratio", "mean_trace_ratio"])
def test_a_trace_ratio_that_rises_gets_the_laws_of_a_gain(name):
    rising = averages_of(noise=0.02, trace=lambda _: 4e4, ratio=BentLaw("saturating", 100.0, 60.0, 0.5))
    found = laws(name, rising)
    assert found["bent_law"]["form"] == "saturating"
    assert found["choice"]["power_law_rejected"]
    given_form = laws_of(
        name, key_series(rising, settings_of())[name], np.random.default_rng(0), BENT_FORMS[name]
    )
    assert given_form["bent_law"]["form"] == "trace ratio"


def test_a_falling_rank_gets_a_law_with_a_limit():
    found = laws("effective_rank", averages_of(rank=lambda m: 20 + 200 / m))["bent_law"]
    assert found["form"] == "limited"
    assert found["level"]["value"] == pytest.approx(20, rel=1e-4)


@pytest.mark.parametrize(
    ("scales", "missing", "reason"),
    [
        ((8,), {"power_law", "last_octaves", "bent_law"}, "1 scales are too few for a power law"),
        ((8, 16), {"bent_law"}, "2 scales are too few for the law 'limited'"),
        ((8, 128), {"last_octaves", "bent_law"}, "1 scales are too few for a power law"),
    ],
)
def test_too_few_scales_say_so_and_keep_what_there_is(scales, missing, reason):
    found = laws("test_loss", averages_of(scales))
    assert {name for name in ("power_law", "last_octaves", "bent_law") if found[name] is None} == missing
    assert reason in found["no_law_because"]


@pytest.mark.parametrize(
    ("value", "reason"), [(-1.0, "it is not positive at scale 16"), (np.nan, "it is not defined at scale 16")]
)
def test_values_without_a_logarithm_say_where(value, reason):
    averages = averages_of()
    averages[1] = replace(averages[1], minimum={**averages[1].minimum, "effective_rank": np.full(5, value)})
    found = laws("effective_rank", averages)
    assert found["power_law"] is found["bent_law"] is found["choice"] is None
    assert found["no_law_because"] == reason
    json.dumps(found, allow_nan=False)


def test_scale_0_has_no_laws():
    found = laws(
        "test_loss",
        averages_of((0, 50), **dict.fromkeys(("loss", "rank", "trace", "ratio"), lambda m: 1 + m)),
    )
    assert found["no_law_because"] == "scale 0 has no logarithm"


def test_one_member_has_laws_without_intervals():
    found = laws("trace_ratio", averages_of(members=1))
    assert found["choice"] is None
    assert found["bent_law"]["bend"]["value"] == pytest.approx(420, rel=1e-5)
    assert found["bent_law"]["bend"]["low"] is None
    assert not found["bent_law"]["bend"]["low_open"]
    assert found["error"] == found["low"] == [None] * 8


numbers = st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")), st.just(0.0))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(numbers, min_size=1, max_size=3), min_size=1, max_size=5),
    st.sampled_from(sorted(BENT_FORMS)),
)
def test_any_input_gives_laws_or_a_reason(points, name):
    averages = [
        replace(
            averages_of((2**i,), members=len(values))[0],
            minimum={
                "test_loss": np.array(values),
                "effective_rank": np.array(values),
                "initial_trace": np.array(values),
                "trace_ratio": np.array(values),
            },
        )
        for i, values in enumerate(points)
    ]
    found = laws(name, averages, resamples=100)
    json.dumps(found, allow_nan=False)
    assert found["no_law_because"] or (found["power_law"] and found["bent_law"])
