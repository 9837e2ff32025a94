"""A user's own dataset: the arrays of an npz file, checked so that every defect is named before training."""

import zipfile
from pathlib import Path

import numpy as np

from ntklens.data.errors import DatasetError
from ntklens.data.image_formats import Images


def load_npz(path):
    """`Images` from the arrays of the npz file ``path``.

    ``images`` (d, height, width), (d, height, width, channels) or (d, n₀), the last of shape (1, n₀, 1):
    unsigned bytes, or floating-point numbers from 0 to 1. ``labels`` (d,): integers from 0 on, each class
    with samples. ``test_images`` and ``test_labels``, if any, are its own test part.
    """
    arrays = _npz_arrays(Path(path))
    images = _npz_images(arrays, "images", path)
    labels = _npz_labels(arrays, "labels", path, len(images), len(images) - 1)
    empty = np.flatnonzero(np.bincount(labels) == 0)
    if empty.size:
        raise DatasetError(
            f"{path}: 'labels' go up to {labels.max()}, but class {empty[0]} has no sample; number the "
            "classes from 0 on without gaps, each with samples among 'labels'"
        )
    test_first = None
    if "test_images" in arrays or "test_labels" in arrays:
        test_first = len(images)
        test_images = _npz_images(arrays, "test_images", path)
        test_labels = _npz_labels(arrays, "test_labels", path, len(test_images), labels.max())
        if test_images.shape[1:] != images.shape[1:] or test_images.dtype != images.dtype:
            raise DatasetError(
                f"{path}: 'test_images' {test_images.shape} {test_images.dtype} and 'images' {images.shape} "
                f"{images.dtype} differ in more than the number; make them alike"
            )
        images, labels = np.concatenate([images, test_images]), np.concatenate([labels, test_labels])
    white = 255 if images.dtype == np.uint8 else 1
    return Images(images.reshape(len(images), -1), labels, white, image_shape(images.shape), test_first)


def image_shape(shape):
    """Height, width and channels of one of the images in an array of this ``shape``. KeyError if of none."""
    _, *one = shape
    return {1: (1, *one, 1), 2: (*one, 1), 3: tuple(one)}[len(one)]


NPZ_NEEDS = "numpy.savez(path, images=..., labels=...) makes such a file"


def _npz_arrays(path):
    """The arrays of an npz file by name, read without unpickling."""
    try:
        # Opened here, since numpy leaves a file open that it cannot read.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            keys = {"images", "labels", "test_images", "test_labels"}.intersection(content.files)
            return {key: _loaded(content, key, path) for key in keys}
    except FileNotFoundError:
        raise DatasetError(f"{path} does not exist: correct the dataset's path in the config") from None
    except (OSError, EOFError, ValueError, TypeError, zipfile.BadZipFile) as error:  # TypeError: one array
        raise DatasetError(f"{path} is not an npz file ({error}): {NPZ_NEEDS}") from None


def _loaded(content, key, path):
    try:
        return content[key]
    except Exception as error:  # zip, zlib and numpy have one of their own for every kind of damage
        raise DatasetError(
            f"{path}: {key!r} is damaged or no array of numbers ({error}); write the file again"
        ) from None


def _npz_array(arrays, key, path):
    if key not in arrays:
        raise DatasetError(f"{path} has no array {key!r}: {NPZ_NEEDS}")
    return arrays[key]


def _npz_images(arrays, key, path):
    """Array ``key``, unsigned bytes or float32 in [0, 1]."""
    images = _npz_array(arrays, key, path)
    if images.ndim not in (2, 3, 4) or images.size == 0:
        raise DatasetError(
            f"{path}: {key!r} has shape {images.shape}, should be (samples, height, width), (samples, "
            "height, width, channels) or (samples, inputs)"
        )
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind != "f":
        raise DatasetError(
            f"{path}: {key!r} is of type {images.dtype}, should be uint8 or floating-point numbers from 0 to "
            "1"
        )
    if not np.isfinite(images).all():
        raise DatasetError(f"{path}: {key!r} holds NaN or infinite values; remove or replace them")
    if images.min() < 0 or images.max() > 1:
        raise DatasetError(
            f"{path}: {key!r} goes from {images.min():.4g} to {images.max():.4g}; scale it to 0 to 1"
        )
    return images.astype(np.float32)


def _npz_labels(arrays, key, path, samples, most):
    """Array ``key``, an integer from 0 to ``most`` for each sample, as int32."""
    labels = _npz_array(arrays, key, path)
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise DatasetError(
            f"{path}: {key!r} is of type {labels.dtype} and shape {labels.shape}, should be one integer "
            "per sample"
        )
    if len(labels) != samples:
        raise DatasetError(f"{path}: {samples} images, but {len(labels)} {key!r}; there must be one for each")
    if labels.min() < 0 or labels.max() > most:
        raise DatasetError(
            f"{path}: {key!r} go from {labels.min()} to {labels.max()}; number the classes from 0 on without "
            "gaps, each with samples among 'labels'"
        )
    return labels.astype(np.int32)
