import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ntklens.data.draws import balanced_draw, draw
from ntklens.data.errors import UnsuitableDataError

from tests.support.label_arrays import label_arrays


def test_draws_are_those_of_earlier_results():
    """Other numbers here mean that every run trains on other samples than published ones did."""
    assert draw(1000, 5, seed=3).tolist() == [493, 504, 826, 48, 295]
    assert balanced_draw(np.arange(1000) % 3, 6, seed=3).tolist() == [670, 691, 776, 887, 501, 252]


def test_draws_are_nested():
    large = draw(50, 30, seed=1)
    for samples in (1, 7, 29):
        np.testing.assert_array_equal(draw(50, samples, seed=1), large[:samples])


def test_draw_has_no_repeats_and_stays_in_the_pool():
    np.testing.assert_array_equal(np.sort(draw(50, 50, seed=2)), np.arange(50))


def test_draw_follows_its_seed():
    np.testing.assert_array_equal(draw(50, 20, 5), draw(50, 20, 5))
    assert not np.array_equal(draw(50, 20, 5), draw(50, 20, 6))


def test_draw_larger_than_pool_raises():
    with pytest.raises(UnsuitableDataError, match="cannot draw 51 training samples from a pool of 50"):
        draw(50, 51, seed=0)


@settings(deadline=None, max_examples=100)
@given(label_arrays(), st.integers(1, 30), st.integers(0, 2**32))
def test_balanced_draw_has_equally_many_of_each_class_without_repeats(labels, each, seed):
    classes, available = np.unique(labels, return_counts=True)
    each = min(each, int(available.min()))
    rows = balanced_draw(labels, each * len(classes), seed)
    assert len(set(rows.tolist())) == len(rows)
    found, counts = np.unique(labels[rows], return_counts=True)
    np.testing.assert_array_equal(found, classes)
    assert set(counts) == {each}
    np.testing.assert_array_equal(rows, balanced_draw(labels, each * len(classes), seed))


def test_balanced_draw_follows_its_seed_and_is_shuffled():
    labels = np.arange(200) % 4
    first, other = (balanced_draw(labels, 100, seed) for seed in (0, 1))
    assert set(first) != set(other)
    assert not np.array_equal(labels[first], np.sort(labels[first]))


def test_balanced_draw_that_classes_cannot_share_raises():
    with pytest.raises(UnsuitableDataError, match="make train_samples a multiple of 4"):
        balanced_draw(np.arange(200) % 4, 102, 0)


def test_balanced_draw_from_a_scarce_class_raises():
    labels = np.array([0] * 20 + [1] * 5)
    with pytest.raises(UnsuitableDataError, match="class 1 has 5 in the pool: make train_samples at most 10"):
        balanced_draw(labels, 12, 0)
