"""Quantities against epochs: figures 4 and 7 (App. B.2, E.2), and own studies of a fixed number of epochs.

Each column shows one network on one dataset, each row one quantity, each line one scale. The axis of epochs
is linear up to epoch 1, so that epoch 0 is shown, and logarithmic from there on, which its label says.
Panels of ranks share one range, and so do panels of accuracies: they are there to be compared.
"""

from collections.abc import Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter

from ntklens.figures.content import FigureContent, Panel, Series
from ntklens.figures.measured import MeasuredCurve, name_of
from ntklens.figures.style import (
    LETTERS,
    RC,
    Colour,
    band,
    column_width,
    draw_band,
    label_panel,
    legend_columns,
    name_panel,
)
from ntklens.storage.averages import Average, Mean
from ntklens.storage.quantities import QUANTITIES

ACCURACIES = ("train_accuracy", "test_accuracy")


class EpochSeries(Series):
    """The line of one scale."""

    scale: int


class EpochPanel(Panel[EpochSeries]):
    """One quantity of one network on one dataset."""

    heading: str
    study: str
    dataset: str
    network: str
    quantity: str


def collect(figure: str, shows: Sequence[str], curves: Sequence[MeasuredCurve]) -> FigureContent[EpochPanel]:
    """Collect the content of ``figure``: panels row by row, each row one quantity that it ``shows``."""
    averages = [curve.averages() for curve in curves]
    panels = [
        _panel(quantity, curve, points)
        for quantity in shows
        for curve, points in zip(curves, averages, strict=True)
    ]
    return {"figure": figure, "panels": panels, "fits": []}


def _panel(quantity: str, curve: MeasuredCurve, averages: Iterable[Average]) -> EpochPanel:
    heading = name_of(curve, with_network=True)
    return {
        "title": f"{heading}: {quantity.replace('_', ' ')}",
        "heading": heading,
        "study": curve.study,
        "dataset": curve.dataset,
        "network": curve.network,
        "quantity": quantity,
        "xlabel": QUANTITIES["epoch"].label,
        "ylabel": QUANTITIES[quantity].axis_label,
        "series": [_series(curve, average.scale, average.along[quantity]) for average in averages],
    }


def _series(curve: MeasuredCurve, scale: int, along: Mean) -> EpochSeries:
    return {
        "label": curve.point_label(scale),
        "scale": scale,
        "x": along.epoch.tolist(),
        **band(along.mean, along.error),
    }


def draw(content: FigureContent[EpochPanel]) -> Figure:
    """Draw one row for each quantity and one column for each network on a dataset."""
    panels = content["panels"]
    quantities = list(dict.fromkeys(panel["quantity"] for panel in panels))
    columns = len(panels) // len(quantities)
    width = column_width(columns)
    colour = colours_in_order([series["scale"] for panel in panels for series in panel["series"]])
    with plt.rc_context(RC):
        figure, grid = plt.subplots(
            len(quantities),
            columns,
            figsize=(width * columns, 0.4 + 2.2 * len(quantities)),
            sharex="col",
            squeeze=False,
        )
        _share_ranges(grid, quantities)
        for letter, axes, panel in zip(LETTERS, grid.flat, panels, strict=False):
            for series in panel["series"]:
                draw_band(axes, series, color=colour[series["scale"]], label=series["label"])
            axes.set_ylabel(panel["ylabel"])
            label_panel(axes, letter)
        for axes, panel in zip(grid[0], panels[:columns], strict=True):
            name_panel(axes, panel["heading"], width)
        for axes, panel in zip(grid[-1], panels[-columns:], strict=True):
            axes.set_xlabel(f"{panel['xlabel']} (linear to 1, then log)")
            show_epochs(axes, panel)
        _explain_colours(figure, panels, colour)
    return figure


def colours_in_order(scales: Iterable[int]) -> dict[int, Colour]:
    """The colour of each scale, from dark for the smallest to light, evenly spaced in their order."""
    distinct = sorted(set(scales))
    # The yellow end of plasma is too faint for lines on white.
    shades = plt.get_cmap("plasma")(np.linspace(0, 0.85, len(distinct)))
    return {scale: tuple(shade) for scale, shade in zip(distinct, shades, strict=True)}


def _share_ranges(grid: np.ndarray, quantities: Sequence[str]) -> None:
    """Give all axes of comparable quantities one range of y, with tick labels in the first column only."""
    first: dict[str, Axes] = {}
    for row, quantity in zip(grid, quantities, strict=True):
        comparable = "accuracy" if quantity in ACCURACIES else quantity
        for axes in row:
            if first.setdefault(comparable, axes) is not axes:
                axes.sharey(first[comparable])
        for axes in row[1:]:
            axes.tick_params(labelleft=False)


def show_epochs(axes: Axes, panel: EpochPanel) -> None:
    """Make the x axis cover the panel's epochs: linear from 0 to 1, then logarithmic."""
    ends = [series["x"][-1] for series in panel["series"]]
    last = max(1, *(end for end in ends if end is not None))
    axes.set_xscale("symlog", linthresh=1, linscale=0.3)
    axes.set_xlim(0, last)
    powers = [10**exponent for exponent in range(len(str(last)))]
    # Over more than two decades, labels of each fit into a narrow panel, and no more.
    factors = (1, 2, 5) if last < 100 else (1,)
    ticks = [factor * power for power in powers for factor in factors]
    axes.xaxis.set_major_locator(FixedLocator([0, *ticks]))
    axes.xaxis.set_minor_locator(FixedLocator([digit * power for power in powers for digit in range(2, 10)]))
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def _explain_colours(figure: Figure, panels: Iterable[EpochPanel], colour: Mapping[int, Colour]) -> None:
    """Draw one legend above all panels, with the smallest scale first."""
    lines = {line.get_label(): line for axes in figure.axes for line in axes.get_lines()}
    labels = {series["scale"]: series["label"] for panel in panels for series in panel["series"]}
    shown = [labels[scale] for scale in colour]
    columns = legend_columns(shown, figure.get_figwidth())
    handles = [lines[label] for label in shown]
    figure.legend(handles=handles, loc="outside upper center", ncols=columns, columnspacing=1.5)
