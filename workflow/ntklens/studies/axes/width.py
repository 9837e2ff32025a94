"""The width m: units of every hidden layer (App. D.1)."""

from dataclasses import replace

from ntklens.studies.axis import Axis
from ntklens.studies.entries import StudyEntry
from ntklens.studies.jobs import Point


def at(point: Point, scale: int, entry: StudyEntry) -> Point:
    return replace(point, network=replace(point.network, width=scale))


WIDTH = Axis(name="width", folder="width-{scale}", symbol="m", label="Model width", at=at)
