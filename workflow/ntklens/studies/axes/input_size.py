"""The input size: the side of the images in pixels, so that n₀ grows as its square.

Images are resized or zero-padded to it, as the entry's ``image_fit`` says (`ntklens.data.image_sizes`).
"""

from dataclasses import replace

from ntklens.data.registry import DatasetFacts
from ntklens.data.settings import ImageSize
from ntklens.studies.axis import Axis
from ntklens.studies.entries import StudyEntry
from ntklens.studies.jobs import Point


def at(point: Point, scale: int, entry: StudyEntry) -> Point:
    image_size = ImageSize(pixels=scale, fit=entry.image_fit)
    return replace(point, data=replace(point.data, image_size=image_size))


def problem(scale: int, point: Point, facts: DatasetFacts) -> str | None:
    image_size, largest = point.data.image_size, max(facts.shape[:2])
    if image_size is not None and image_size.fit == "zero-padded" and scale < largest:
        return f"images of {largest} pixels a side cannot be zero-padded to {scale}; take at least {largest}"
    return None


INPUT_SIZE = Axis(
    name="input_size",
    folder="pixels-{scale}",
    symbol="s",
    label="Image side in pixels",
    at=at,
    problem=problem,
)
