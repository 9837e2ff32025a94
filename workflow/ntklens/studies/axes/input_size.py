"""The input size: the side of the images in pixels, so that n₀ grows as its square.

Images are resized or zero-padded to it, as the entry's ``image_fit`` says (`ntklens.data.image_sizes`).
"""

from dataclasses import replace

from ntklens.data.settings import ImageSize
from ntklens.studies.axis import Axis
from ntklens.studies.entries import StudyEntry
from ntklens.studies.jobs import Point


def at(point: Point, scale: int, entry: StudyEntry) -> Point:
    image_size = ImageSize(pixels=scale, fit=entry.image_fit)
    return replace(point, data=replace(point.data, image_size=image_size))


INPUT_SIZE = Axis(
    name="input_size",
    folder="pixels-{scale}",
    symbol="s",
    label="Image side in pixels",
    at=at,
)
