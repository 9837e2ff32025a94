"""What an npz file of images holds, by its headers and labels: the images themselves are not read."""

import zipfile

import numpy as np

from ntklens.data.errors import DatasetError
from ntklens.data.npz_images import image_shape

HEADERS = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}


def npz_contents(path):
    """Image shape (height, width, channels), classes, samples in all, and samples of its own test part.

    As `npz_images.load_npz` takes them, with fewer checks. Raises FileNotFoundError, and DatasetError where
    that is not such a file.
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


def _shape(archive, name):
    with archive.open(f"{name}.npy") as file:
        version, _ = np.lib.format.read_magic(file)
        return HEADERS[version](file)[0]
