import numpy as np
import pytest
from ntklens.analysis.variances import log_variances

LOG = np.log(2.0 ** np.arange(3, 11))


def influences(members, spread, seed=0):
    """Influences of a sample variance of exactly ``spread``² at each point."""
    rng = np.random.default_rng(seed)
    drawn = [rng.standard_normal(members) for _ in spread]
    return [s * (z - z.mean()) / z.std(ddof=1) for s, z in zip(spread, drawn, strict=True)]


@pytest.mark.parametrize("exponent", [-0.5, 0.0, 0.3])
def test_variances_that_follow_the_law_come_back(exponent):
    spread = 0.4 * np.exp(exponent * (LOG - LOG[0]))
    found = log_variances(LOG, influences(5, spread))
    np.testing.assert_allclose(found.pooled, spread**2 / 5, rtol=1e-4)
    np.testing.assert_allclose(found.own, spread**2 / 5)
    np.testing.assert_allclose(found.weights, 5 / spread**2, rtol=1e-4)
    assert found.freedom == 8 * 4


def test_pooled_variances_are_steadier_than_a_point_s_own():
    rng = np.random.default_rng(1)
    found = [log_variances(LOG, [0.1 * rng.standard_normal(5) for _ in LOG]) for _ in range(200)]
    own, pooled = (np.log([getattr(one, name)[3] for one in found]).std() for name in ("own", "pooled"))
    assert pooled < own / 2


def test_members_that_do_not_differ_have_no_variance_and_equal_weights():
    found = log_variances(LOG, [np.zeros(5)] * 8)
    assert not found.pooled.any()
    assert found.weights.tolist() == [1.0] * 8


def test_single_members_have_unknown_variances_and_equal_weights():
    found = log_variances(LOG, [np.zeros(1)] * 8)
    assert np.isnan(found.pooled).all()
    assert found.freedom == 0
    assert found.weights.tolist() == [1.0] * 8


def test_a_single_member_takes_the_variance_of_the_others():
    spread = np.full(8, 0.2)
    found = log_variances(LOG, [np.zeros(1), *influences(5, spread[1:])])
    np.testing.assert_allclose(found.pooled, [0.04, *[0.04 / 5] * 7], rtol=1e-4)
    assert np.isnan(found.own[0])


def test_more_members_weigh_more():
    both = [*influences(5, np.full(4, 0.2)), *influences(20, np.full(4, 0.2))]
    weights = log_variances(LOG, both).weights
    np.testing.assert_allclose(weights[4:] / weights[:4], 4, rtol=1e-3)
