import numpy as np
import pytest
from ntklens.analysis.laws import LIMITED, SATURATING, TRACE_RATIO, BentLaw, PowerLaw
from ntklens.analysis.model_choice import choose
from ntklens.analysis.series import key_series

from tests.support.ensembles import averages_of, settings_of


def chosen(name, forms, seed=0, **laws):
    series = key_series(averages_of(seed=seed, **laws), settings_of())[name]
    return choose(series, forms, 200, np.random.default_rng(seed))


def test_a_power_law_through_a_bend_is_rejected():
    for name, forms in (("trace_ratio", (TRACE_RATIO,)), ("effective_rank", (SATURATING, LIMITED))):
        choice = chosen(name, forms, noise=0.1)
        assert choice["power_law_rejected"]
        assert choice["p_value"] < 0.02
        assert choice["likelihood_ratio"] > 20


def test_a_power_law_is_rejected_about_as_often_as_stated():
    """60 ensembles that follow a power law: at 5 %, more than nine rejections are as rare as one in 2,000."""
    law = {"noise": 0.2, "rank": PowerLaw(20.0, 0.4)}
    found = [chosen("effective_rank", (SATURATING, LIMITED), seed, **law) for seed in range(60)]
    assert sum(choice["power_law_rejected"] for choice in found) <= 9
    p_values = [choice["p_value"] for choice in found]
    assert 0.3 < np.median(p_values) <= 1


def test_a_bend_beyond_the_scales_is_no_bend():
    assert not chosen("trace_ratio", (TRACE_RATIO,), noise=0.1, ratio=BentLaw("trace ratio", 1e4, 0.05))[
        "power_law_rejected"
    ]


@pytest.mark.parametrize(
    "case", [{"members": 1, "noise": 0.1}, {"noise": 0.0}], ids=["one member", "no noise"]
)
def test_without_variances_there_is_no_test(case):
    assert chosen("initial_trace", (SATURATING,), **case) is None
