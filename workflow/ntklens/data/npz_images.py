"""A user's own dataset: the arrays of an npz file, checked so that every defect is found before training."""

import zipfile
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int32, UInt8

from ntklens.data.errors import DatasetError
from ntklens.data.image_formats import Images
from ntklens.data.npz_headers import image_shape
from ntklens.storage.files import FilePath


def load_npz(path: FilePath) -> Images:
    """`Images` from the arrays of the npz file ``path``.

    ``images`` (d, height, width), (d, height, width, channels) or (d, n₀), the last with images of shape
    (1, n₀, 1), are unsigned bytes or floating-point numbers from 0 to 1. ``labels`` (d,) are integers from 0
    on, and every class has samples. ``test_images`` and ``test_labels``, if any, are the dataset's own test
    part. Raises DatasetError for anything else.
    """
    arrays = _npz_arrays(Path(path))
    images = _npz_images(arrays, "images", path)
    labels = _npz_labels(arrays, "labels", path, len(images), most=len(images) - 1)
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
        test_labels = _npz_labels(arrays, "test_labels", path, len(test_images), int(labels.max()))
        if test_images.shape[1:] != images.shape[1:] or test_images.dtype != images.dtype:
            raise DatasetError(
                f"{path}: 'test_images' {test_images.shape} {test_images.dtype} and 'images' {images.shape} "
                f"{images.dtype} differ in image size or type; make them alike"
            )
        images, labels = np.concatenate([images, test_images]), np.concatenate([labels, test_labels])
    white = 255 if images.dtype == np.uint8 else 1
    return Images(images.reshape(len(images), -1), labels, white, image_shape(images.shape), test_first)


NPZ_NEEDS = "numpy.savez(path, images=..., labels=...) makes such a file"


def _npz_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an npz file by name, read without unpickling."""
    try:
        # Opened here, since NumPy does not close a file that it cannot read.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            keys = {"images", "labels", "test_images", "test_labels"}.intersection(content.files)
            return {key: _loaded(content, key, path) for key in keys}
    except FileNotFoundError:
        raise DatasetError(f"{path} does not exist: correct the dataset's path in the config") from None
    except (OSError, EOFError, ValueError, TypeError, zipfile.BadZipFile) as error:  # TypeError: one array
        raise DatasetError(f"{path} is not an npz file ({error}): {NPZ_NEEDS}") from None


def _loaded(content: np.lib.npyio.NpzFile, key: str, path: Path) -> np.ndarray:
    try:
        return content[key]
    except Exception as error:  # zipfile, zlib and NumPy raise different errors for each kind of damage
        raise DatasetError(
            f"{path}: {key!r} is damaged or not an array of numbers ({error}); write the file again"
        ) from None


def _npz_array(arrays: dict[str, np.ndarray], key: str, path: FilePath) -> np.ndarray:
    if key not in arrays:
        raise DatasetError(f"{path} has no array {key!r}: {NPZ_NEEDS}")
    return arrays[key]


def _npz_images(
    arrays: dict[str, np.ndarray], key: str, path: FilePath
) -> UInt8[np.ndarray, "d ..."] | Float32[np.ndarray, "d ..."]:
    """The array ``key``, unsigned bytes or float32 in [0, 1]."""
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


def _npz_labels(
    arrays: dict[str, np.ndarray], key: str, path: FilePath, samples: int, most: int
) -> Int32[np.ndarray, " d"]:
    """The array ``key``: for each of ``samples`` samples an integer from 0 to ``most``."""
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
