"""The depth L: hidden layers of the network, each of the network's own width."""

from dataclasses import replace

from ntklens.studies.axis import Axis
from ntklens.studies.entries import StudyEntry
from ntklens.studies.jobs import Point


def at(point: Point, scale: int, entry: StudyEntry) -> Point:
    return replace(point, network=replace(point.network, hidden_layers=scale))


DEPTH = Axis(name="depth", folder="depth-{scale}", symbol="L", label="Hidden layers", at=at)
