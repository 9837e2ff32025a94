"""An axis: the quantity that a study's scale changes, and how a point follows from the scale."""

from collections.abc import Callable
from typing import NamedTuple

from ntklens.data.registry import DatasetFacts
from ntklens.studies.entries import StudyEntry
from ntklens.studies.jobs import Point


class Axis(NamedTuple):
    """One axis. ``at(point, scale, entry)`` changes a ``point`` to the one at ``scale``.

    It takes settings that only this axis uses from the study's ``entry``, such as the noise of noisy copies.

    ``folder`` names the folder of a point's results and contains ``{scale}``. ``symbol`` and ``label`` stand
    for the scale in figures.

    ``problem(scale, point, facts)`` says in words why a point cannot be trained on the dataset with these
    facts, or returns None.
    """

    name: str
    folder: str
    symbol: str
    label: str
    at: Callable[[Point, int, StudyEntry], Point]
    problem: Callable[[int, Point, DatasetFacts], str | None] = lambda scale, point, facts: None
    least: int = 1  # the least scale
