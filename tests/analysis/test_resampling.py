import numpy as np
import pytest
from ntklens.analysis.intervals import ends
from ntklens.analysis.resampling import factor_for, factor_of_mean, generator_of, member_weights, widened
from ntklens.storage.curve import Curve

SEEDS = [np.arange(5)] * 3


def weights(seeds=SEEDS, resamples=4000):
    return member_weights(generator_of(Curve("a", "b", "c")), seeds, resamples)


def test_a_curve_s_name_fixes_its_random_numbers():
    one, same, other = (generator_of(Curve("a", "b", name)).random(4) for name in ("c", "c", "d"))
    assert one.tolist() == same.tolist() != other.tolist()


def test_weights_count_whole_members():
    for own in weights():
        assert own.shape == (4000, 5)
        np.testing.assert_allclose(own.sum(axis=1), 1)
        np.testing.assert_allclose(own * 5, np.round(own * 5), atol=1e-9)
        np.testing.assert_allclose(own.mean(axis=0), 0.2, atol=0.01)


def test_points_share_the_weights_of_their_seeds():
    first, second, _ = weights()
    np.testing.assert_array_equal(first, second)


def test_members_are_matched_by_seed():
    first, second = weights([np.array([0, 1, 2]), np.array([1, 2, 5])])
    # Seeds 1 and 2 keep their ratio at both points.
    np.testing.assert_allclose(first[:, 1] * second[:, 1], first[:, 2] * second[:, 0])


def test_no_resample_leaves_a_point_without_a_member():
    for own in weights([np.array([0]), np.array([1]), np.array([0, 1, 2])], resamples=500):
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


def test_a_mean_of_more_members_needs_less_of_student():
    students = {members: factor_of_mean(members) / factor_for(members) for members in (3, 5, 20, 10**6)}
    assert students == pytest.approx({3: 2.195, 5: 1.417, 20: 1.068, 10**6: 1}, abs=1e-3)
    assert factor_of_mean(1) == 1


def test_positive_values_stay_positive_when_widened():
    resampled = np.array([[0.1, 0.1], [2.0, -1.0]])
    out = widened(resampled, np.array([1.0, 1.0]), np.array([2.0, 2.0]))
    np.testing.assert_allclose(out, [[0.01, -0.8], [4.0, -3.0]])


def test_a_single_member_is_not_widened():
    assert factor_for(1) == 1
