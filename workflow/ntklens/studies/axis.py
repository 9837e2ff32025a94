"""What an axis is: the thing that a study's scale changes, and how a point follows from the scale."""

from collections.abc import Callable
from typing import NamedTuple


class Axis(NamedTuple):
    """One axis. ``at(point, scale)`` gives the point of a curve at ``scale``.

    A point is a dictionary of ``network``, the settings of a network, and ``data``, those of the training set
    (`ntklens.data.training_sets`). ``folder`` names a point's results, ``{scale}`` in it the scale.
    ``symbol`` and ``label`` are what figures call the scale.

    ``data(entry)`` gives those settings of a point's data that this axis alone takes from a study's ``entry``
    in the general form; ``at`` finds them in the point. ``problem(scale, point, facts)`` says in words why a
    point cannot be trained on the dataset whose `DatasetFacts` these are, or returns None.
    """

    name: str
    folder: str
    symbol: str
    label: str
    at: Callable
    data: Callable = lambda entry: {}
    problem: Callable = lambda scale, point, facts: None
    least: int = 1  # the least scale
