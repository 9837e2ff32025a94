"""The data size D: training samples. A member's draws are nested: the smaller are parts of the larger."""

from dataclasses import replace

from ntklens.studies.axis import Axis
from ntklens.studies.entries import StudyEntry
from ntklens.studies.jobs import Point


def at(point: Point, scale: int, entry: StudyEntry) -> Point:
    return replace(point, data=replace(point.data, train_samples=scale))


TRAIN_SAMPLES = Axis(name="train_samples", folder="size-{scale}", symbol="D", label="Dataset size", at=at)
