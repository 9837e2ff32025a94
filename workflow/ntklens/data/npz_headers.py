"""What an npz file of images holds, by its headers and labels: the images are not read."""

import math

import numpy as np
from jaxtyping import Int32

from ntklens.data.errors import DatasetError
from ntklens.data.npz_arrays import Header, NpzFile, npz_file
from ntklens.storage.files import FilePath

NUMBERED = "number the classes from 0 on without gaps, each with samples among 'labels'"


def npz_contents(path: FilePath) -> tuple[tuple[int, int, int], int, int, int]:
    """Image shape (height, width, channels), classes, all samples, and samples of the file's own test part.

    They are the same as `npz_images.load_npz` finds; only the values of pixels are not checked. Raises
    FileNotFoundError, and DatasetError if the file does not hold images with labels.
    """
    with npz_file(path) as file:
        shape = images_header(file, "images").shape
        classes = int(train_labels(file, shape[0]).max()) + 1
        own_test = 0
        if has_test_part(file):
            own_test = test_images_header(file).shape[0]
            labels_of(file, "test_labels", own_test, most=classes - 1)
    return image_shape(shape), classes, shape[0] + own_test, own_test


def has_test_part(file: NpzFile) -> bool:
    """Whether the file has at least one of the two arrays of a test part."""
    return "test_images" in file or "test_labels" in file


def image_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Height, width and channels of one image in an array of images of this ``shape``.

    Raises KeyError if an array of this ``shape`` cannot hold images.
    """
    _, *one = shape
    height, width, channels = {1: (1, *one, 1), 2: (*one, 1), 3: tuple(one)}[len(one)]
    return height, width, channels


def images_header(file: NpzFile, key: str) -> Header:
    """The header of the array ``key`` of images. Raises DatasetError unless it can hold some."""
    header = file.header(key)
    if len(header.shape) not in (2, 3, 4) or not math.prod(header.shape):
        raise DatasetError(
            f"{file.path}: {key!r} has shape {header.shape}, should be (samples, height, width), (samples, "
            "height, width, channels) or (samples, inputs)"
        )
    if header.dtype != np.uint8 and header.dtype.kind != "f":
        raise DatasetError(
            f"{file.path}: {key!r} is of type {header.dtype}, should be uint8 or floating-point numbers "
            "from 0 to 1"
        )
    return header


def test_images_header(file: NpzFile) -> Header:
    """The header of the test part's images. Raises DatasetError unless they are like the other images."""
    images, test = images_header(file, "images"), images_header(file, "test_images")
    if test.shape[1:] != images.shape[1:] or (test.dtype == np.uint8) != (images.dtype == np.uint8):
        raise DatasetError(
            f"{file.path}: 'test_images' {test.shape} {test.dtype} and 'images' {images.shape} "
            f"{images.dtype} differ in image size or type; make them alike"
        )
    return test


def train_labels(file: NpzFile, samples: int) -> Int32[np.ndarray, " d"]:
    """The labels of ``samples`` images. Raises DatasetError unless all of two or more classes have some."""
    labels = labels_of(file, "labels", samples, most=samples - 1)
    empty = np.flatnonzero(np.bincount(labels) == 0)
    if empty.size:
        raise DatasetError(
            f"{file.path}: 'labels' go up to {labels.max()}, but class {empty[0]} has no sample; {NUMBERED}"
        )
    if labels.max() == 0:
        raise DatasetError(f"{file.path}: all 'labels' are 0, but a network needs two or more classes")
    return labels


def labels_of(file: NpzFile, key: str, samples: int, most: int) -> Int32[np.ndarray, " d"]:
    """The array ``key``: for each of ``samples`` samples an integer from 0 to ``most``."""
    header = file.header(key)
    if header.dtype.kind not in "iu" or len(header.shape) != 1:
        raise DatasetError(
            f"{file.path}: {key!r} is of type {header.dtype} and shape {header.shape}, should be one integer "
            "per sample"
        )
    if header.shape[0] != samples:
        raise DatasetError(
            f"{file.path}: {samples} images, but {header.shape[0]} {key!r}; there must be one for each"
        )
    labels = file.array(key)
    if labels.min() < 0 or labels.max() > most:
        raise DatasetError(f"{file.path}: {key!r} go from {labels.min()} to {labels.max()}; {NUMBERED}")
    return labels.astype(np.int32)
