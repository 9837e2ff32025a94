"""A user's own dataset: the arrays of an npz file, checked so that every defect is found before training."""

import numpy as np
from jaxtyping import Float32, UInt8

from ntklens.data.errors import DatasetError
from ntklens.data.image_formats import Images
from ntklens.data.npz_arrays import NpzFile, npz_file
from ntklens.data.npz_headers import (
    has_test_part,
    image_shape,
    images_header,
    labels_of,
    test_images_header,
    train_labels,
)
from ntklens.storage.files import FilePath


def load_npz(path: FilePath) -> Images:
    """`Images` from the arrays of the npz file ``path``.

    ``images`` (d, height, width), (d, height, width, channels) or (d, n₀), the last with images of shape
    (1, n₀, 1), are unsigned bytes or floating-point numbers from 0 to 1. ``labels`` (d,) are integers from 0
    on, of two or more classes that all have samples. ``test_images`` and ``test_labels``, if any, are the
    dataset's own test part. Raises DatasetError for anything else.
    """
    try:
        with npz_file(path) as file:
            return _images(file)
    except FileNotFoundError:
        raise DatasetError(f"{path} does not exist: correct the dataset's path in the config") from None


def _images(file: NpzFile) -> Images:
    images_header(file, "images")
    images = _pixels(file, "images")
    labels, test_first = train_labels(file, len(images)), None
    if has_test_part(file):
        test_first = len(images)
        test_images_header(file)
        test_images = _pixels(file, "test_images")
        test_labels = labels_of(file, "test_labels", len(test_images), int(labels.max()))
        images, labels = np.concatenate([images, test_images]), np.concatenate([labels, test_labels])
    white = 255 if images.dtype == np.uint8 else 1
    return Images(images.reshape(len(images), -1), labels, white, image_shape(images.shape), test_first)


def _pixels(file: NpzFile, key: str) -> UInt8[np.ndarray, "d ..."] | Float32[np.ndarray, "d ..."]:
    """The array ``key``, unsigned bytes or float32 in [0, 1]."""
    images = file.array(key)
    if images.dtype == np.uint8:
        return images
    if not np.isfinite(images).all():
        raise DatasetError(f"{file.path}: {key!r} holds NaN or infinite values; remove or replace them")
    if images.min() < 0 or images.max() > 1:
        raise DatasetError(
            f"{file.path}: {key!r} goes from {images.min():.4g} to {images.max():.4g}; scale it to 0 to 1"
        )
    return images.astype(np.float32)
