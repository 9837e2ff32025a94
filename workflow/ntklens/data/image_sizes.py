"""Brings images to another size: resizes them, or puts them into the middle of a larger black canvas.

Resizing changes what a pixel shows. Zero-padding adds inputs that are always zero: the input size n₀ grows,
and the task stays the same.
"""

import numpy as np
from PIL import Image

from ntklens.data.errors import UnsuitableDataError

FITS = ("resized", "zero-padded")


def to_size(images, shape, pixels, fit):
    """Makes rows of ``pixels``² · channels numbers from ``images`` (d, n₀), each (height, width, channels).

    That is ``shape``. ``fit`` is "resized", where an image that is no square becomes one, or "zero-padded",
    which keeps every pixel. The result is float32, in the brightness units of ``images``. Raises
    UnsuitableDataError where an image is larger than the canvas that it shall be padded to.
    """
    if pixels < 1:
        raise ValueError(f"pixels is {pixels}, must be at least 1")
    if fit not in FITS:
        raise ValueError(f"unknown fit {fit!r}; allowed are {', '.join(FITS)}")
    pictures = np.asarray(images, np.float32).reshape(len(images), *shape)
    sized = _resized(pictures, pixels) if fit == "resized" else _zero_padded(pictures, pixels)
    return sized.reshape(len(images), pixels * pixels * shape[2])


def _resized(pictures, pixels):
    """Interpolates linearly where images grow, and averages with a triangle's weights where they shrink."""
    size = (pixels, pixels)
    resized = np.empty((len(pictures), *size, pictures.shape[3]), np.float32)
    # Pillow resizes float32 of one channel alone.
    for i, channel in np.ndindex(len(pictures), pictures.shape[3]):
        image = Image.fromarray(pictures[i, :, :, channel])
        resized[i, :, :, channel] = image.resize(size, Image.Resampling.BILINEAR)
    return resized


def _zero_padded(pictures, pixels):
    """Surrounds images by zeros; of an odd margin, the larger part is below and on the right."""
    samples, height, width, channels = pictures.shape
    if max(height, width) > pixels:
        raise UnsuitableDataError(f"images of {height}×{width} pixels do not fit into {pixels}×{pixels}")
    top, left = (pixels - height) // 2, (pixels - width) // 2
    canvas = np.zeros((samples, pixels, pixels, channels), np.float32)
    canvas[:, top : top + height, left : left + width] = pictures
    return canvas
