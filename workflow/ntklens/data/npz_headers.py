"""The shape and size of the images in an npz file, from headers and labels. The images are not read."""

import zipfile

import numpy as np

from ntklens.data.errors import DatasetError
from ntklens.storage.files import FilePath

HEADERS = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}


def npz_contents(path: FilePath) -> tuple[tuple[int, int, int], int, int, int]:
    """Image shape (height, width, channels), classes, all samples, and samples of the file's own test part.

    They are the same as `npz_images.load_npz` finds, with fewer checks. Raises FileNotFoundError, and
    DatasetError if the file does not hold images with labels.
    """
    try:
        with zipfile.ZipFile(path) as archive, np.load(path, allow_pickle=False) as arrays:
            shape = _shape(archive, "images")
            own_test = _shape(archive, "test_images")[0] if "test_images" in arrays.files else 0
            classes = int(arrays["labels"].max()) + 1
            one = image_shape(shape)
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path} holds no images with labels ({error})") from None
    return one, classes, shape[0] + own_test, own_test


def image_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Height, width and channels of one image in an array of images of this ``shape``.

    Raises KeyError if an array of this ``shape`` cannot hold images.
    """
    _, *one = shape
    height, width, channels = {1: (1, *one, 1), 2: (*one, 1), 3: tuple(one)}[len(one)]
    return height, width, channels


def _shape(archive: zipfile.ZipFile, name: str) -> tuple[int, ...]:
    """The shape of the array ``name`` in ``archive``."""
    with archive.open(f"{name}.npy") as file:
        version, _ = np.lib.format.read_magic(file)
        return HEADERS[version](file)[0]
