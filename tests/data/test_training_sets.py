import os
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from ntklens.data.draws import balanced_draw, draw
from ntklens.data.errors import UnsuitableDataError
from ntklens.data.image_sizes import FITS, to_size
from ntklens.data.noisy_copies import noisy_copies
from ntklens.data.settings import OPTIONAL_MODULES, DataSettings, ImageSize, NoisyCopies
from ntklens.data.subsets import Subset
from ntklens.data.training_sets import sized, training_sets
from ntklens.storage.import_closure import import_closure

WORKFLOW = Path(__file__).parents[2] / "workflow"
DATA = DataSettings(train_samples=30, balanced=False, draw_seed=None)
NOISY = replace(DATA, balanced=True, noisy_copies=NoisyCopies(removed_percent=40, sigma=0.1))
SEEDS = [0, 1, 7]


@pytest.fixture
def subset():
    """A pool of 90 images and 20 test images, 3×4 in colour, of three classes."""
    rng = np.random.default_rng(0)
    return Subset(
        pool_images=rng.random((90, 36), np.float32),
        pool_labels=rng.permutation(np.arange(90) % 3).astype(np.int32),
        test_images=rng.random((20, 36), np.float32),
        test_labels=(np.arange(20) % 3).astype(np.int32),
        classes=3,
        image_shape=(3, 4, 3),
    )


def assert_holds_rows(found, subset, rows):
    np.testing.assert_array_equal(found.rows, rows)
    np.testing.assert_array_equal(found.images, subset.pool_images[rows])
    np.testing.assert_array_equal(found.labels, subset.pool_labels[rows])
    assert (found.images.dtype, found.labels.dtype) == (np.float32, np.int32)


def test_members_have_draws_of_their_own(subset):
    found = training_sets(subset, DATA, SEEDS)
    for one, seed in zip(found, SEEDS, strict=True):
        assert_holds_rows(one, subset, draw(90, 30, seed))
        assert one.copied_from is None


def test_balanced_members_have_balanced_draws_of_their_own(subset):
    found = training_sets(subset, replace(DATA, balanced=True), SEEDS)
    for one, seed in zip(found, SEEDS, strict=True):
        assert_holds_rows(one, subset, balanced_draw(subset.pool_labels, 30, seed))


@pytest.mark.parametrize("draw_seed", [0, 5])
def test_members_share_one_object_where_the_draw_has_a_seed(subset, draw_seed):
    found = training_sets(subset, replace(DATA, draw_seed=draw_seed), SEEDS)
    assert len(found) == len(SEEDS)
    assert all(one is found[0] for one in found)
    assert_holds_rows(found[0], subset, draw(90, 30, draw_seed))


def test_no_seeds_have_no_training_sets(subset):
    assert training_sets(subset, DATA, []) == []


def test_whole_pool_may_be_drawn(subset):
    (found,) = training_sets(subset, replace(DATA, train_samples=90), [0])
    np.testing.assert_array_equal(np.sort(found.rows), np.arange(90))


def test_balanced_draw_and_noisy_copies_follow_from_one_seed(subset):
    """The draw's seed, not the member's: the levels of a study start from the same samples."""
    found = training_sets(subset, replace(NOISY, draw_seed=5), SEEDS)[0]
    rows = balanced_draw(subset.pool_labels, 30, 5)
    images, copied_from = noisy_copies(subset.pool_images[rows], subset.pool_labels[rows], 40, 0.1, 5)
    np.testing.assert_array_equal(found.rows, rows)
    np.testing.assert_array_equal(found.images, images)
    np.testing.assert_array_equal(found.labels, subset.pool_labels[rows])
    np.testing.assert_array_equal(found.copied_from, copied_from)
    assert np.sum(copied_from != np.arange(30)) == 12


def test_members_have_noisy_copies_of_their_own(subset):
    alone = [training_sets(subset, NOISY, [seed])[0] for seed in SEEDS]
    for one, other in zip(training_sets(subset, NOISY, SEEDS), alone, strict=True):
        for field in fields(one):
            np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))
    assert not np.array_equal(alone[0].images, alone[1].images)


def test_nothing_removed_leaves_the_draw_as_it_is(subset):
    data = replace(NOISY, noisy_copies=NoisyCopies(removed_percent=0, sigma=0.1))
    (found,) = training_sets(subset, data, [2])
    assert_holds_rows(found, subset, balanced_draw(subset.pool_labels, 30, 2))
    np.testing.assert_array_equal(found.copied_from, np.arange(30))


def test_pool_is_left_alone(subset):
    before = subset.pool_images.copy(), subset.pool_labels.copy()
    for data in (DATA, NOISY):
        for one in training_sets(subset, data, SEEDS):
            one.images[:], one.labels[:] = 9, 9
    np.testing.assert_array_equal(subset.pool_images, before[0])
    np.testing.assert_array_equal(subset.pool_labels, before[1])


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"train_samples": 91}, "cannot draw 91 training samples from a pool of 90"),
        ({"train_samples": 31, "balanced": True}, "make train_samples a multiple of 3"),
        (
            {"train_samples": 93, "balanced": True},
            "class 0 has 30 in the pool: make train_samples at most 90",
        ),
        (
            {"train_samples": 3, "balanced": True, "noisy_copies": NoisyCopies(60, sigma=1.0)},
            "removing 60 % of the 1 samples of class 0 keeps none",
        ),
    ],
)
def test_too_few_samples_raise(subset, changes, complaint):
    with pytest.raises(UnsuitableDataError, match=complaint):
        training_sets(subset, replace(DATA, **changes), SEEDS)


def test_subset_keeps_its_size_where_none_is_asked_for(subset):
    assert sized(subset, None) is subset


@pytest.mark.parametrize("fit", FITS)
def test_pool_and_test_images_are_brought_to_size(subset, fit):
    found = sized(subset, ImageSize(pixels=6, fit=fit))
    np.testing.assert_array_equal(found.pool_images, to_size(subset.pool_images, (3, 4, 3), 6, fit))
    np.testing.assert_array_equal(found.test_images, to_size(subset.test_images, (3, 4, 3), 6, fit))
    assert found.image_shape == (6, 6, 3)
    for name in ("pool_labels", "test_labels", "classes"):
        assert getattr(found, name) is getattr(subset, name)


def test_sizes_do_not_change_which_samples_are_drawn(subset):
    data = replace(DATA, image_size=ImageSize(pixels=6, fit="zero-padded"))
    large = training_sets(sized(subset, data.image_size), data, SEEDS)
    for one, other in zip(large, training_sets(subset, DATA, SEEDS), strict=True):
        np.testing.assert_array_equal(one.rows, other.rows)
        np.testing.assert_array_equal(one.images, to_size(other.images, (3, 4, 3), 6, "zero-padded"))


def test_image_too_large_for_its_canvas_raises(subset):
    with pytest.raises(UnsuitableDataError, match="images of 3×4 pixels do not fit into 3×3"):
        sized(subset, ImageSize(pixels=3, fit="zero-padded"))


ASK = """
import sys
import numpy as np
from ntklens.data.settings import OPTIONAL_MODULES, DataSettings, ImageSize, NoisyCopies
from ntklens.data.subsets import Subset
from ntklens.data.training_sets import sized, training_sets

images, labels = np.ones((6, 4), np.float32), np.arange(6) % 2
subset = Subset(images, labels, images, labels, classes=2, image_shape=(2, 2, 1))
for asked in (
    {},
    {"noisy_copies": NoisyCopies(removed_percent=50, sigma=1.0)},
    {"image_size": ImageSize(pixels=3, fit="resized")},
):
    data = DataSettings(train_samples=4, balanced=True, draw_seed=0, **asked)
    training_sets(sized(subset, data.image_size), data, [0, 1])
    print(*(key for key, module in OPTIONAL_MODULES.items() if module in sys.modules), sep=",")
"""


def test_optional_modules_are_imported_where_they_are_asked_for_alone():
    """Else their code, and Pillow, would concern every run."""
    result = subprocess.run(
        [sys.executable, "-c", ASK],
        env={**os.environ, "PYTHONPATH": str(WORKFLOW)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert result.stdout.splitlines() == ["", "noisy_copies", "noisy_copies,image_size"]


def test_optional_modules_are_no_part_of_the_import_closure():
    closure = import_closure(WORKFLOW / "ntklens/data/training_sets.py")
    names = {path.stem for path in closure}
    assert names.isdisjoint(module.rpartition(".")[2] for module in OPTIONAL_MODULES.values())
