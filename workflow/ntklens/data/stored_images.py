"""How images lie in HDF5 files: with rows and columns, so that programs which show images can show them.

In memory an image is one row of pixels. Files from before lie so on disk too; `flat_images` reads both.
"""

from typing import Any

import h5py
import numpy as np
from jaxtyping import Shaped

from ntklens.storage.hdf5 import add_dataset
from ntklens.storage.labels import Interpretation, make_scale, mark_plot

IMAGE_AXES = ("row", "column", "channel")
# By number of channels: how NeXus calls such images. Others are not shown as images.
INTERPRETATIONS: dict[int, Interpretation] = {1: "image", 3: "rgb-image", 4: "rgba-image"}


def add_image_axes(file: h5py.File, shape: tuple[int, int, int]) -> None:
    """Store the dimension scales that all images of ``shape`` (height, width, channels) share."""
    for name, size in zip(IMAGE_AXES, shape, strict=True):
        scale = add_dataset(file, name, np.arange(size), f"number of a {name} of the images")
        scale.attrs["long_name"] = name.capitalize()
        make_scale(scale)


def add_images(
    file: h5py.File,
    name: str,
    images: Shaped[np.ndarray, "samples n0"],
    shape: tuple[int, int, int],
    units: str,
    samples: str,
) -> None:
    """Store ``images`` of ``shape``, to be shown; ``samples`` is the dimension scale of their first axis.

    Images of one channel have no axis for it. Of several arrays of images in a file, the last is shown.
    """
    height, width, channels = shape
    whole = images.reshape(-1, height, width, *([channels] if channels > 1 else []))
    axes = [samples, *IMAGE_AXES][: whole.ndim]
    stored = add_dataset(file, name, whole, "brightness of the pixels of each image", units, axes)
    stored.attrs["long_name"] = "Brightness"
    mark_plot(file, name, axes, interpretation=INTERPRETATIONS.get(channels))


def flat_images(images: Any) -> Shaped[np.ndarray, "samples n0"]:
    """The images of a dataset in a file, one row of pixels per image."""
    values = np.asarray(images[()])
    return values.reshape(len(values), -1)
