"""An axis: the quantity that a study's scale changes, and how a point follows from the scale."""

from collections.abc import Callable
from typing import NamedTuple

from ntklens.data.registry import DatasetFacts
from ntklens.data.settings import DataSettings
from ntklens.studies.entries import StudyEntry
from ntklens.studies.jobs import Point


class Axis(NamedTuple):
    """One axis. ``at(point, scale)`` gives the point of a curve at ``scale``.

    ``folder`` names the folder of a point's results and contains ``{scale}``. ``symbol`` and ``label`` stand
    for the scale in figures.

    ``data(base, entry)`` adds to a point's data settings ``base`` those that this axis alone takes from a
    study's ``entry``; the scale in them is ``least``, until ``at`` replaces it. ``problem(scale, point,
    facts)`` says in words why a point cannot be trained on the dataset with these facts, or returns None.
    """

    name: str
    folder: str
    symbol: str
    label: str
    at: Callable[[Point, int], Point]
    data: Callable[[DataSettings, StudyEntry], DataSettings] = lambda base, entry: base
    problem: Callable[[int, Point, DatasetFacts], str | None] = lambda scale, point, facts: None
    least: int = 1  # the least scale
