"""The common style of all figures, and the pieces that they share."""

import itertools
import re
import string
import textwrap
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypedDict

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from matplotlib.lines import Line2D
from matplotlib.typing import RcKeyType

from ntklens.figures.content import Band, Line, MeasuredLine, Numbers
from ntklens.figures.ticks import FONT_SIZE as TICK_SIZE

Colour = tuple[float, ...]  # red, green, blue, alpha
Values = Float[np.ndarray, " points"] | Sequence[float | None]  # None for a number that is not defined


class Look(TypedDict):
    """Colour and marker of all lines with the same name."""

    color: str
    marker: str


PAGE = 6.7  # inches, which is 170 mm: the width of the text on a page of two columns
COLUMN = PAGE / 2
NARROW = PAGE / 3  # the width of each column of panels where there are more than two
DPI = 300  # dots per inch of the PNGs, at the width in print
# The panels' letters: a to z, then aa to zz.
LETTERS = [*string.ascii_lowercase, *map("".join, itertools.product(string.ascii_lowercase, repeat=2))]

# Okabe and Ito's colours, which colour-blind readers can distinguish.
DATASET_COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
MARKERS = ["o", "s", "^", "D", "v", "P"]

RC: dict[RcKeyType, Any] = {
    "font.family": "DejaVu Sans",
    "mathtext.fontset": "dejavusans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "legend.fontsize": 6.5,
    "legend.handletextpad": 0.4,
    "axes.formatter.limits": (-3, 4),
    "axes.formatter.use_mathtext": True,
    "xtick.labelsize": TICK_SIZE,
    "ytick.labelsize": TICK_SIZE,
    "axes.linewidth": 0.6,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "savefig.dpi": DPI,
    "pdf.fonttype": 42,
}


def column_width(columns: int) -> float:
    """The width in inches of each column, in a figure of ``columns`` columns of panels."""
    return COLUMN if columns <= 2 else NARROW


def look_of(names: Iterable[str]) -> dict[str, Look]:
    """The colour and marker of each name, the same in every panel of a figure."""
    colours, markers = len(DATASET_COLOURS), len(MARKERS)
    return {
        name: {
            "color": DATASET_COLOURS[i % colours],
            # Once all colours are used, they repeat, each with the next marker.
            "marker": MARKERS[(i + i // colours) % markers],
        }
        for i, name in enumerate(names)
    }


def scale_colours(scales: Collection[int]) -> tuple[Callable[[int], Colour], ScalarMappable]:
    """A function from scale to colour, and the mappable for its colour bar.

    Colours are evenly spaced in the scale's logarithm, or in the scale itself where one is 0.
    """
    # The yellow end of viridis is too faint for lines on white.
    colours = ListedColormap(plt.get_cmap("viridis")(np.linspace(0, 0.9, 256)))
    low, high = min(scales), max(scales)
    norm = LogNorm if low > 0 else Normalize
    mappable = ScalarMappable(norm(low, high if high > low else max(2 * low, 1)), colours)

    def colour(scale: int) -> Colour:
        return tuple(mappable.to_rgba(scale))  # pyright: ignore[reportArgumentType]  # stubs know arrays only

    return colour, mappable


def draw_band(axes: Axes, series: MeasuredLine, **look: Any) -> Line2D:
    """Draw a line, and its band if it has one."""
    # Converted to floats, None becomes NaN.
    x, y, low, high = (np.array(series.get(key), dtype=float) for key in ("x", "y", "low", "high"))
    (line,) = axes.plot(x, y, **look)
    if series.get("low") is not None:
        axes.fill_between(x, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
    return line


def draw_points(
    axes: Axes, series: MeasuredLine, law: Line | None, look: Look, label: str, empty: bool
) -> Line2D:
    """Draw markers, ``empty`` or filled, with their band, and the fitted ``law``, if any, dashed."""
    face = "white" if empty else look["color"]
    line = draw_band(axes, series, label=label, linestyle="", markerfacecolor=face, **look)
    if law:
        axes.plot(law["x"], law["y"], "--", color=look["color"], linewidth=0.8)
    return line


def log_scales(axes: Axes) -> None:
    """Make the y axis logarithmic if any y is positive, the x axis if all x are.

    A logarithmic axis leaves out points that have no logarithm. Along y that is accepted; along x no scale
    may be lost, so x then stays linear.
    """
    x, y = (np.concatenate([get(line) for line in axes.lines]) for get in (_x_of, _y_of))
    if np.all(x > 0):
        axes.set_xscale("log")
    if np.any(y > 0):
        axes.set_yscale("log")


def _x_of(line: Line2D) -> np.ndarray:
    return np.asarray(line.get_xdata())


def _y_of(line: Line2D) -> np.ndarray:
    return np.asarray(line.get_ydata())


def label_panel(axes: Axes, letter: str) -> None:
    """Write the panel's letter above the labels of its y axis: the panel's name has the whole width."""
    axes.set_title(f"({letter})", loc="left", x=-0.02, horizontalalignment="right", fontweight="bold")


def name_panel(axes: Axes, name: str, width: float) -> None:
    """Write ``name`` above axes, in as few lines as it needs, of about the same length.

    ``width`` is that of the axes with their labels, in inches.
    """
    characters = int((width - 0.8) / 0.058)  # that fit beside the labels of the y axis
    # Lines break neither inside brackets nor before short ones.
    whole = re.sub(r"\([^)]*\)", lambda part: part[0].replace(" ", "\xa0"), name)
    whole = re.sub(r" (?=\([^)]{1,4}\))", "\xa0", whole)
    fewest = len(_wrapped(whole, characters))
    longest = min(characters, max(map(len, whole.split(" "))))
    lines = next(even for n in range(longest, characters + 1) if len(even := _wrapped(whole, n)) == fewest)
    axes.set_title("\n".join(lines).replace("\xa0", " "))


def _wrapped(text: str, characters: int) -> list[str]:
    return textwrap.wrap(text, characters, break_on_hyphens=False)


def legend_columns(labels: Collection[str], width: float, most: int | None = None) -> int:
    """The number of legend columns with these ``labels`` that fit into ``width`` inches, at most ``most``."""
    column = 0.06 * max(map(len, labels)) + 0.5  # inches: the text in the legend's font, and its line
    fitting = min(int(width / column), len(labels), most or len(labels))
    return max(fitting, 1)


def band(mean: Values, error: Values | None) -> Band:
    """The band of one standard error around a mean; without an ``error`` it has no bounds."""
    centre = np.asarray(mean, dtype=float)
    if error is None:
        return {"y": numbers(centre), "low": None, "high": None}
    half = np.asarray(error, dtype=float)
    return {"y": numbers(centre), "low": numbers(centre - half), "high": numbers(centre + half)}


def numbers(values: Values) -> Numbers:
    """``values`` as a list for JSON, with None in place of NaN and infinite numbers, which JSON lacks."""
    return [value if np.isfinite(value) else None for value in np.asarray(values, dtype=float).tolist()]
