import numpy as np
import pytest
from ntklens.analysis.intervals import ends
from ntklens.analysis.resampling import factor_for, factor_of_mean, generator_of, member_weights, widened
from ntklens.storage.curve import Curve

SEEDS = [np.arange(5)] * 3


def weights(seeds=SEEDS, resamples=4000, joint=False):
    return member_weights(generator_of(Curve("a", "b", "c")), seeds, resamples, joint)


def test_a_curve_s_name_fixes_its_random_numbers():
    one, same, other = (generator_of(Curve("a", "b", name)).random(4) for name in ("c", "c", "d"))
    assert one.tolist() == same.tolist() != other.tolist()


@pytest.mark.parametrize("joint", [True, False])
def test_weights_count_whole_members(joint):
    for own in weights(joint=joint):
        assert own.shape == (4000, 5)
        np.testing.assert_allclose(own.sum(axis=1), 1)
        np.testing.assert_allclose(own * 5, np.round(own * 5), atol=1e-9)
        np.testing.assert_allclose(own.mean(axis=0), 0.2, atol=0.01)


def test_points_of_joint_members_share_their_weights():
    first, second, _ = weights(joint=True)
    np.testing.assert_array_equal(first, second)
    first, second, _ = weights()
    assert abs(np.corrcoef(first[:, 0], second[:, 0])[0, 1]) < 0.1


def test_joint_members_are_matched_by_seed():
    first, second = weights([np.array([0, 1, 2]), np.array([1, 2, 5])], joint=True)
    # Seeds 1 and 2 keep their ratio at both points.
    np.testing.assert_allclose(first[:, 1] * second[:, 1], first[:, 2] * second[:, 0])


def test_no_resample_leaves_a_point_without_a_member():
    for own in weights([np.array([0]), np.array([1]), np.array([0, 1, 2])], resamples=500, joint=True):
        np.testing.assert_allclose(own.sum(axis=1), 1)


@pytest.mark.parametrize("members", [5, 20])
def test_widened_resamples_have_the_standard_error(members):
    """Without the factor, the spread of resampled means is that of a variance over n, not n − 1."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal(members)
    (own,) = weights([np.arange(members)], resamples=40_000)
    spread = widened(own @ values, np.float64(values.mean()), factor_for(members)).std()
    assert spread == pytest.approx(values.std(ddof=1) / np.sqrt(members), rel=0.02)


@pytest.mark.parametrize("members", [5, 20])
def test_intervals_of_one_mean_hold_it_in_95_percent(members):
    rng, trials = np.random.default_rng(1), 1500
    (own,) = weights([np.arange(members)], resamples=1000)
    values = rng.standard_normal((trials, members))
    means = values.mean(axis=1)
    low, high = ends(widened(own @ values.T, means, np.full(trials, factor_of_mean(members))))
    assert np.mean((low < 0) & (high > 0)) == pytest.approx(0.95, abs=0.025)


def test_a_mean_over_more_members_needs_less_of_student():
    assert factor_of_mean(5, 32) < factor_of_mean(5)
    assert factor_of_mean(5, 10**6) == pytest.approx(factor_for(5), rel=1e-4)
    assert factor_of_mean(1) == 1


def test_positive_values_stay_positive_when_widened():
    resampled = np.array([[0.1, 0.1], [2.0, -1.0]])
    out = widened(resampled, np.array([1.0, 1.0]), np.array([2.0, 2.0]))
    np.testing.assert_allclose(out, [[0.01, -0.8], [4.0, -3.0]])


def test_a_single_member_is_not_widened():
    assert factor_for(1) == 1
