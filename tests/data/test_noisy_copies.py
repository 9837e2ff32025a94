"""Noisy copies, for any labels, level and seed."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ntklens.data.errors import UnsuitableDataError
from ntklens.data.noisy_copies import noisy_copies

from tests.support.label_arrays import label_arrays

SIGMA = 0.01
seeds = st.integers(0, 2**32)
percents = st.integers(0, 99)


def numbered_images(labels):
    """Image i has the pixels i, 2 i, 3 i: rows differ by far more than any noise."""
    return np.outer(np.arange(len(labels)), [1, 2, 3]).astype(np.float32)


def replaced_count(samples, percent):
    return int(np.rint(samples * percent / 100))


def copied(labels, percent, seed, sigma=SIGMA):
    """Images and the rows they are from, where every class keeps a sample; other cases are not examples."""
    for samples in np.unique(labels, return_counts=True)[1]:
        assume(replaced_count(samples, percent) < samples)
    return noisy_copies(numbered_images(labels), labels, percent, sigma, seed)


def is_kept(copied_from):
    return copied_from == np.arange(len(copied_from))


every_case = given(label_arrays(), percents, seeds)
thorough = settings(deadline=None, max_examples=100)


@thorough
@every_case
def test_exactly_the_share_of_every_class_is_replaced(labels, percent, seed):
    _, copied_from = copied(labels, percent, seed)
    for label in np.unique(labels):
        own = labels == label
        assert np.sum(~is_kept(copied_from)[own]) == replaced_count(own.sum(), percent)


@thorough
@every_case
def test_copies_are_of_kept_samples_of_their_class(labels, percent, seed):
    _, copied_from = copied(labels, percent, seed)
    kept = np.flatnonzero(is_kept(copied_from))
    replaced = np.flatnonzero(~is_kept(copied_from))
    assert set(copied_from[replaced]) <= set(kept)
    np.testing.assert_array_equal(labels[copied_from], labels)


@thorough
@every_case
def test_kept_samples_of_a_class_are_copied_equally_often_up_to_one(labels, percent, seed):
    _, copied_from = copied(labels, percent, seed)
    uses = np.bincount(copied_from, minlength=len(labels))
    for label in np.unique(labels):
        own = uses[(labels == label) & is_kept(copied_from)]
        assert own.max() - own.min() <= 1
        assert own.sum() == np.sum(labels == label)


@thorough
@given(label_arrays(), percents, percents, seeds)
def test_what_a_higher_level_keeps_a_lower_one_keeps_too(labels, percent, other, seed):
    lower, higher = sorted((percent, other))
    few = is_kept(copied(labels, higher, seed)[1])
    many = is_kept(copied(labels, lower, seed)[1])
    assert np.all(many[few])


@thorough
@every_case
def test_kept_images_are_untouched_and_copies_are_near_the_original(labels, percent, seed):
    images = numbered_images(labels)
    found, copied_from = copied(labels, percent, seed)
    kept = is_kept(copied_from)
    np.testing.assert_array_equal(found[kept], images[kept])
    assert np.all(np.abs(found - images[copied_from]) < 8 * SIGMA)
    assert np.all(np.any(found[~kept] != images[copied_from[~kept]], axis=1))
    assert found.dtype == images.dtype


@thorough
@every_case
def test_without_noise_copies_equal_the_original(labels, percent, seed):
    found, copied_from = copied(labels, percent, seed, sigma=0.0)
    np.testing.assert_array_equal(found, numbered_images(labels)[copied_from])


@thorough
@every_case
def test_arguments_are_left_alone_and_the_seed_decides(labels, percent, seed):
    images, own_labels = numbered_images(labels), labels.copy()
    copied(labels, percent, seed)
    first, second = (noisy_copies(images, own_labels, percent, SIGMA, seed) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(images, numbered_images(labels))
    np.testing.assert_array_equal(own_labels, labels)


def test_noise_has_the_standard_deviation_and_is_independent():
    labels = np.zeros(400, np.int32)
    images = np.full((400, 100), 0.5, np.float32)
    found, copied_from = noisy_copies(images, labels, 50, 0.02, seed=3)
    noise = (found - images)[~is_kept(copied_from)]
    assert noise.shape == (200, 100)
    assert noise.std() == pytest.approx(0.02, rel=0.02)  # 20,000 values: 0.5 % is one standard error
    assert noise.mean() == pytest.approx(0.0, abs=0.02 * 4 / np.sqrt(noise.size))
    between_rows = np.corrcoef(noise)[np.triu_indices(200, 1)]
    assert np.abs(between_rows).max() < 0.5  # copies of one image don't share their noise


def test_pixels_may_leave_their_range():
    images = np.ones((40, 30), np.float32)
    found, _ = noisy_copies(images, np.zeros(40, np.int32), 50, 0.01, seed=0)
    assert found.max() > 1


def test_a_row_replaced_at_two_levels_has_the_same_noise():
    labels = np.zeros(40, np.int32)
    images = numbered_images(labels)
    (few, few_from), (many, many_from) = (noisy_copies(images, labels, p, 0.01, 5) for p in (30, 60))
    both = ~is_kept(few_from) & ~is_kept(many_from)
    assert both.sum() == 12
    levels = ((few, few_from), (many, many_from))
    noise = [(found - images[copied_from])[both] for found, copied_from in levels]
    np.testing.assert_allclose(*noise, atol=1e-5)


def test_another_seed_replaces_other_samples():
    labels = np.arange(80) % 4
    found = [noisy_copies(numbered_images(labels), labels, 50, 0.01, seed)[1] for seed in (0, 1)]
    assert not np.array_equal(*found)


def test_level_that_keeps_nothing_of_a_class_raises():
    labels = np.array([0] * 20 + [1] * 4)
    with pytest.raises(UnsuitableDataError, match="removing 90 % of the 4 samples of class 1 keeps none"):
        noisy_copies(numbered_images(labels), labels, 90, 0.01, 0)


@pytest.mark.parametrize("percent", [-1, 100, 120])
def test_level_outside_its_range_raises(percent):
    labels = np.zeros(10, np.int32)
    with pytest.raises(ValueError, match=f"removed_percent is {percent}"):
        noisy_copies(numbered_images(labels), labels, percent, 0.01, 0)
