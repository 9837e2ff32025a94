"""The content of a figure's JSON file: a kind of figure collects it, and drawing reads nothing else.

`Series`, `Panel` and `Fit` have the keys that every figure has; the kinds add keys of their own.
`ntklens.figures.saving.save_figure` adds the provenance.
"""

from collections.abc import Sequence
from typing import Any, Generic, TypedDict, TypeVar

Numbers = list[float | None]  # None, which is null in JSON, where a number is not defined


class Line(TypedDict):
    """A line without a band, such as a fitted law's."""

    x: list[float]
    y: list[float]


class Band(TypedDict):
    """Values, and the bounds of the band around them. The bounds are None where there is no band."""

    y: Numbers
    low: Numbers | None
    high: Numbers | None


class MeasuredLine(Band):
    """Measured values with their band, against x."""

    x: Sequence[float | None]


class Series(MeasuredLine):
    """One line of a panel, with its label."""

    label: str


AnySeries = TypeVar("AnySeries", bound=Series)


class Panel(TypedDict, Generic[AnySeries]):
    """One pair of axes, with its series in the order in which they are drawn."""

    title: str
    xlabel: str
    ylabel: str
    series: list[AnySeries]


AnyPanel = TypeVar("AnyPanel", bound=Panel[Any])


class Fit(TypedDict):
    """The curve and the quantity that a law was fitted to; the kinds add the law's parameters."""

    dataset: str
    network: str
    quantity: str


class FigureContent(TypedDict, Generic[AnyPanel]):
    """Everything that a figure shows, with panels in reading order."""

    figure: str  # its key, such as "3"
    panels: list[AnyPanel]
    fits: Sequence[Fit]
