"""Brings images to another size: resizes them, or puts them into the middle of a larger black canvas.

Resizing changes the content of every pixel. Zero-padding adds inputs that are always zero: the input size n₀
grows, and the task stays the same.
"""

from typing import get_args

import numpy as np
from jaxtyping import Float, Shaped
from PIL import Image

from ntklens.data.errors import UnsuitableDataError
from ntklens.data.settings import ImageFit

FITS: tuple[ImageFit, ...] = get_args(ImageFit)


def to_size(
    images: Shaped[np.ndarray, "d n0"], shape: tuple[int, int, int], pixels: int, fit: str
) -> Float[np.ndarray, "d new_n0"]:
    """Brings ``images``, each of ``shape`` (height, width, channels), to ``pixels`` a side.

    The result has one row of pixels² · channels numbers per image, as float32, in the brightness units of
    ``images``. With ``fit`` "resized" an image that is not square becomes square; "zero-padded" keeps every
    pixel. Raises ValueError for any other ``fit``, and UnsuitableDataError where an image is larger than the
    canvas that it is padded to.
    """
    if pixels < 1:
        raise ValueError(f"pixels is {pixels}, must be at least 1")
    if fit not in FITS:
        raise ValueError(f"unknown fit {fit!r}; allowed are {', '.join(FITS)}")
    pictures = np.asarray(images, np.float32).reshape(len(images), *shape)
    sized = _resized(pictures, pixels) if fit == "resized" else _zero_padded(pictures, pixels)
    return sized.reshape(len(images), pixels * pixels * shape[2])


def _resized(
    pictures: Float[np.ndarray, "d height width channels"], pixels: int
) -> Float[np.ndarray, "d {pixels} {pixels} channels"]:
    """Interpolates linearly where images grow, and averages with triangular weights where they shrink."""
    size = (pixels, pixels)
    resized = np.empty((len(pictures), *size, pictures.shape[3]), np.float32)
    # Pillow resizes float32 images of one channel only.
    for i, channel in np.ndindex(len(pictures), pictures.shape[3]):
        image = Image.fromarray(pictures[i, :, :, channel])
        resized[i, :, :, channel] = np.asarray(image.resize(size, Image.Resampling.BILINEAR))
    return resized


def _zero_padded(
    pictures: Float[np.ndarray, "d height width channels"], pixels: int
) -> Float[np.ndarray, "d {pixels} {pixels} channels"]:
    """Surrounds images by zeros. Where the margin is odd, the larger part is below and on the right."""
    samples, height, width, channels = pictures.shape
    if max(height, width) > pixels:
        raise UnsuitableDataError(f"images of {height}×{width} pixels do not fit into {pixels}×{pixels}")
    top, left = (pixels - height) // 2, (pixels - width) // 2
    canvas = np.zeros((samples, pixels, pixels, channels), np.float32)
    canvas[:, top : top + height, left : left + width] = pictures
    return canvas
