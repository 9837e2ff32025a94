"""How a static figure draws each series: read from the Matplotlib figure itself, so that both always agree.

A figure's module draws it from the content of its JSON file. Each line of that drawing which has the numbers
of a series is the series' own. All other lines are laws, closed forms and levels: they belong to the series
of their colour in the same axes. So the interactive figure has the colours, markers and axes of the static
one, whatever the kind of figure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

Scale = Literal["linear", "log", "symlog"]
DASHES = {"-": "solid", "--": "dash", ":": "dot", "-.": "dashdot"}
SYMBOLS = {
    "o": "circle",
    "s": "square",
    "^": "triangle-up",
    "D": "diamond",
    "v": "triangle-down",
    "P": "cross",
}
Values = Float[np.ndarray, " points"]


@dataclass(frozen=True)
class Look:
    """Colour, dash and marker of a line. ``dash`` or ``marker`` is None where it has none."""

    colour: str  # as #rrggbb
    dash: str | None
    marker: str | None
    empty: bool  # whether only the outline of its markers is drawn


class SeriesLook(NamedTuple):
    """The look of one series, and the axes that it is drawn in."""

    look: Look
    axes: Axes


class OtherLine(NamedTuple):
    """A line that is no series, such as a law. ``x`` is None where it runs across the axes at one y."""

    look: Look
    axes: Axes
    x: Values | None
    y: Values


class Drawing:
    """A drawn ``figure``, of which series are asked for in the order in which it drew them."""

    def __init__(self, figure: Figure) -> None:
        self._lines = [(axes, line) for axes in figure.axes for line in axes.get_lines()]

    def series(self, series: dict[str, Any]) -> SeriesLook | None:
        """The look of a series of the figure's content; None if it is not drawn.

        A line is the series' own once only, so series with the same numbers have a line each.
        """
        wanted = [_floats(series[name]) for name in ("x", "y")]
        for number, (axes, line) in enumerate(self._lines):
            if all(map(_equal, wanted, _data(line))):
                del self._lines[number]
                return SeriesLook(_look(line), axes)
        return None

    def others(self, axes: Sequence[Axes]) -> Iterator[OtherLine]:
        """The lines in ``axes`` that are no series' own, once all series were asked for."""
        for own, line in self._lines:
            x, y = _data(line)
            if own in axes and len(y):
                across = line.get_transform() == own.get_yaxis_transform()
                yield OtherLine(_look(line), own, None if across else x, y)


def scale_of(axes: Axes, name: Literal["x", "y"]) -> Scale:
    """Whether an axis is linear, logarithmic, or linear up to 1 and logarithmic from there on."""
    found = axes.get_xscale() if name == "x" else axes.get_yscale()
    assert found in ("linear", "log", "symlog"), found
    return found  # pyright: ignore[reportReturnType]  # the assertion says so


def place_of(axes: Axes) -> tuple[int, int]:
    """The row and the column of axes in the grid of their figure."""
    spec = axes.get_subplotspec()
    return (spec.rowspan.start, spec.colspan.start) if spec else (0, 0)


def letter_of(axes: Axes) -> str:
    """The letter of the panel with these axes, such as "(a)"; empty below the first panel of a stack."""
    beside = [own for own in axes.figure.axes if place_of(own) == place_of(axes)]  # two y axes are two axes
    return next((letter for own in beside if (letter := own.get_title(loc="left"))), "")


def spans_of(axes: Axes) -> list[tuple[float, float, bool]]:
    """The shaded intervals of x: both ends, and whether it is hatched."""
    shaded = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    return [(own.get_x(), own.get_x() + own.get_width(), bool(own.get_hatch())) for own in shaded]


def _look(line: Line2D) -> Look:
    face, marker = line.get_markerfacecolor(), SYMBOLS.get(str(line.get_marker()))
    empty = marker is not None and to_rgb(face) == (1.0, 1.0, 1.0)
    return Look(to_hex(line.get_color()), DASHES.get(str(line.get_linestyle())), marker, empty)


def _data(line: Line2D) -> tuple[Values, Values]:
    return _floats(line.get_xdata(orig=True)), _floats(line.get_ydata(orig=True))


def _floats(values: Any) -> Values:
    """``values`` as floats, with NaN for None."""
    return np.array(values, dtype=np.float64)


def _equal(one: Float[np.ndarray, " one"], other: Float[np.ndarray, " other"]) -> bool:
    return np.array_equal(one, other, equal_nan=True)
