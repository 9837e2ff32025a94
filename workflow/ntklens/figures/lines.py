"""Panels of lines against a scale that explain themselves by a legend each: shared by figures 9 and 10."""

from collections.abc import Collection, Sequence
from typing import Literal, NotRequired

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ntklens.analysis.ends import Values
from ntklens.figures.content import Band, Panel, Series
from ntklens.figures.style import Look, draw_band, label_panel, log_scales, name_panel
from ntklens.figures.ticks import plain_ticks, scale_ticks

Drawn = Literal["filled", "empty", "line"]  # filled or empty markers joined by a line, or a line alone


class PlainSeries(Series):
    """One line. ``colour`` is the name of what it belongs to: lines with the same name share a colour.

    ``full_name`` says what a line is whose label does not say it alone, where no legend is beside it.
    """

    colour: str
    drawn: Drawn
    full_name: NotRequired[str]


class PlainPanel(Panel[PlainSeries]):
    """Lines against a scale, with a legend; ``heading`` is its title on the figure.

    Captions name panels by their ``letter``, so it stays where a figure has no other panel before it.
    """

    letter: str
    heading: str
    yscale: Literal["linear", "log"]


def measured(
    label: str, colour: str, x: Sequence[float | int], own: Values, drawn: Drawn = "filled"
) -> PlainSeries:
    """The line of a measured quantity with its interval; an end that is open has no band there."""
    bounds: Band = {"y": own["value"], "low": own["low"], "high": own["high"]}
    return {"label": label, "colour": colour, "drawn": drawn, "x": list(x), **bounds}


def computed(label: str, colour: str, x: Sequence[float | int], y: Sequence[float | None]) -> PlainSeries:
    """A line without a band, such as that of a closed form."""
    return {
        "label": label,
        "colour": colour,
        "drawn": "line",
        "x": list(x),
        "y": list(y),
        "low": None,
        "high": None,
    }


def draw_plain_panel(
    axes: Axes,
    panel: PlainPanel,
    looks: dict[str, Look],
    width: float,
    explained: Collection[str] = (),
) -> None:
    """Draw the panel with a legend of all labels but those that are ``explained`` elsewhere.

    `ntklens.figures.legends.clear_legends` places the legend.
    """
    for series in panel["series"]:
        look = looks[series["colour"]]
        if series["drawn"] == "line":
            style = {"color": look["color"], "linestyle": ":", "marker": ""}
        else:
            face = look["color"] if series["drawn"] == "filled" else "white"
            line = "-" if series["drawn"] == "filled" else "--"
            style = {**look, "linestyle": line, "markerfacecolor": face, "markersize": 3, "linewidth": 0.9}
        label = None if series["label"] in explained else series["label"] or None
        draw_band(axes, series, label=label, **style)
    log_scales(axes)
    if panel["yscale"] == "linear":
        axes.set_yscale("linear")
    scale_ticks(axes.xaxis, [series["x"] for series in panel["series"] if series["drawn"] != "line"])
    plain_ticks(axes.yaxis)
    axes.set_xlabel(panel["xlabel"])
    axes.set_ylabel(panel["ylabel"])
    label_panel(axes, panel["letter"])
    name_panel(axes, panel["heading"], width)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(loc="upper right", fontsize=6, handlelength=1.8)


def colours_of(panels: Sequence[PlainPanel]) -> list[str]:
    """The names of all colours, in the order of their first appearance."""
    return list(dict.fromkeys(series["colour"] for panel in panels for series in panel["series"]))


def empty_grid(figure: Figure, rows: int, columns: int) -> np.ndarray:
    """A grid of axes, none of them visible yet."""
    grid = np.asarray(figure.subplots(rows, columns, squeeze=False))
    for axes in grid.flat:
        axes.set_visible(False)
    return grid
