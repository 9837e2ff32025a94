"""Which samples a study may train on, and which it tests on and measures the NTK on (App. D.1).

One split per dataset, shared by all points and seeds of a config. Test samples come from the
dataset's own test part where it has one; the NTK samples are the first of the test samples; all
others form the pool that training sets are drawn from. Pixels are scaled to [0, 1].
"""

from dataclasses import dataclass

import h5py
import numpy as np

from ntklens.storage.hdf5 import add_dataset, new_file


@dataclass(frozen=True)
class Subset:
    """Images (d, n₀) float32 in [0, 1] and labels (d,) int32 of pool and test samples."""

    pool_images: np.ndarray
    pool_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    classes: int
    image_shape: tuple  # height, width, channels: a row of pixels in this shape is the image


def split(samples, test_first, test_samples, seed):
    """Indices of the pool and of ``test_samples`` test samples among ``samples``, at random.

    ``test_first`` is the first index of the dataset's own test part, None if it has none; a test part
    that holds fewer than ``test_samples`` is taken whole. Raises ValueError where nothing is left to
    train on.
    """
    rng = np.random.default_rng(seed)
    if test_first is None:
        if test_samples >= samples:
            raise ValueError(f"test_samples is {test_samples}, but the dataset has {samples} samples in all")
        order = rng.permutation(samples)
        return order[test_samples:], order[:test_samples]
    own_test = samples - test_first
    return rng.permutation(test_first), test_first + rng.permutation(own_test)[:test_samples]


def write_subset(path, dataset_path, test_samples, split_seed):
    with h5py.File(dataset_path) as dataset, new_file(path, "train pool and test samples") as file:
        test_first = int(dataset.attrs["test_first"])
        own_test = None if test_first < 0 else test_first
        pool, test = split(len(dataset["labels"]), own_test, test_samples, split_seed)
        images, labels = dataset["images"][:], dataset["labels"][:]
        units = dataset["images"].attrs["units"]
        for role, rows in (("pool", pool), ("test", test)):
            add_dataset(file, f"{role}_indices", rows, "row of each sample in the dataset")
            add_dataset(file, f"{role}_images", images[rows], "brightness, one row per image", units)
            add_dataset(file, f"{role}_labels", labels[rows], "class of each image")
        file.attrs["classes"] = dataset.attrs["classes"]
        file.attrs["white"] = dataset.attrs["white"]
        file.attrs["shape"] = dataset.attrs["shape"]


def read_subset(path):
    with h5py.File(path) as file:
        white = np.float32(file.attrs["white"])
        return Subset(
            pool_images=file["pool_images"][:] / white,
            pool_labels=file["pool_labels"][:].astype(np.int32),
            test_images=file["test_images"][:] / white,
            test_labels=file["test_labels"][:].astype(np.int32),
            classes=int(file.attrs["classes"]),
            image_shape=tuple(int(size) for size in file.attrs["shape"]),
        )
