"""The samples that a study may train on, and those on which it tests and measures the NTK (App. D.1).

Every dataset is split once: all points and seeds of a config share the split. Test samples come from the
dataset's own test part where it has one. The NTK samples are the first of the test samples. Training sets are
drawn from the pool: the dataset's own training part or, if it has no test part, all other samples. Pixels are
scaled to [0, 1].
"""

from dataclasses import dataclass
from typing import Any, cast

import h5py
import numpy as np
from jaxtyping import Float, Int

from ntklens.data.settings import DatasetSettings, SplitSettings
from ntklens.data.stored_images import add_image_axes, add_images, flat_images
from ntklens.storage.files import FilePath
from ntklens.storage.hdf5 import add_dataset
from ntklens.storage.labels import make_scale
from ntklens.storage.provenance import provenance
from ntklens.storage.records import new_record, opened
from ntklens.storage.settings import settings_sha256


class SplitError(ValueError):
    """A dataset is too small for the split that the config asks for."""


@dataclass(frozen=True)
class Subset:
    """The pool and the test samples of one dataset, pixels in [0, 1]."""

    pool_images: Float[np.ndarray, "pool n0"]
    pool_labels: Int[np.ndarray, " pool"]
    test_images: Float[np.ndarray, "test n0"]
    test_labels: Int[np.ndarray, " test"]
    classes: int
    image_shape: tuple[int, int, int]  # height, width, channels: a row of pixels in this shape is the image


def split(
    samples: int, test_first: int | None, test_samples: int, seed: int
) -> tuple[Int[np.ndarray, " pool"], Int[np.ndarray, " test"]]:
    """Indices of the pool and of ``test_samples`` test samples among ``samples``, at random.

    ``test_first`` is the first index of the dataset's own test part, None if it has none. A test part that
    holds fewer than ``test_samples`` is taken whole. Raises SplitError where nothing is left to train on.
    """
    # NumPy takes the seeds 0 and [0, 0] for the same: if both are 0, `draw` permutes as the split does.
    # That is harmless: the pool's order is random already, whatever permutation picks rows from it.
    rng = np.random.default_rng(seed)
    if test_first is None:
        if test_samples >= samples:
            raise SplitError(f"test_samples is {test_samples}, but the dataset has {samples} samples in all")
        order = rng.permutation(samples)
        return order[test_samples:], order[:test_samples]
    own_test = samples - test_first
    return rng.permutation(test_first), test_first + rng.permutation(own_test)[:test_samples]


def write_subset(path: FilePath, dataset_path: FilePath, settings: SplitSettings) -> None:
    """Split the dataset in the file ``dataset_path``; write its pool and test samples to ``path``.

    Raises SplitError as `split` does, FileError if ``dataset_path`` is damaged or holds another dataset.
    """
    made_with = settings_sha256(DatasetSettings(settings.dataset, settings.data_dir))
    with opened(dataset_path, "dataset", made_with) as source:
        origin = provenance("subset", settings, [dataset_path], ["numpy", "h5py"])
        with new_record(path, "train pool and test samples", origin) as file:
            _write_split(file, source, settings)


def _write_split(file: h5py.File, source: h5py.File, settings: SplitSettings) -> None:
    dataset = cast(Any, source)  # h5py's stubs cannot know what a name holds
    test_first = int(dataset.attrs["test_first"])
    own_test = None if test_first < 0 else test_first
    samples = len(dataset["labels"])
    pool, test = split(samples, own_test, settings.test_samples, settings.split_seed)
    images, labels = flat_images(dataset["images"]), dataset["labels"][:]
    units = dataset["images"].attrs["units"]
    height, width, channels = (int(size) for size in dataset.attrs["shape"])
    shape = height, width, channels
    add_image_axes(file, shape)
    for role, rows in (("pool", pool), ("test", test)):
        axis = f"{role}_indices"
        make_scale(add_dataset(file, axis, rows, "row of each sample in the dataset"))
        add_images(file, f"{role}_images", images[rows], shape, units, axis)
        add_dataset(file, f"{role}_labels", labels[rows], "class of each image", axes=[axis])
    file.attrs["classes"] = dataset.attrs["classes"]
    file.attrs["white"] = dataset.attrs["white"]
    file.attrs["shape"] = dataset.attrs["shape"]


def read_subset(path: FilePath, made_with: str | None = None) -> Subset:
    """The `Subset` in a file that `write_subset` wrote, images as float32 and labels as int32.

    It must be ``made_with`` the settings of this digest; None takes any. Raises FileError if the file is
    damaged or another one, and OSError if it cannot be read.
    """
    with opened(path, "subset", made_with) as source:
        file = cast(Any, source)  # h5py's stubs cannot know what a name holds
        white = np.float32(file.attrs["white"])
        height, width, channels = (int(size) for size in file.attrs["shape"])
        return Subset(
            pool_images=flat_images(file["pool_images"]) / white,
            pool_labels=file["pool_labels"][:].astype(np.int32),
            test_images=flat_images(file["test_images"]) / white,
            test_labels=file["test_labels"][:].astype(np.int32),
            classes=int(file.attrs["classes"]),
            image_shape=(height, width, channels),
        )
