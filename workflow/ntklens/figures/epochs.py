"""Quantities against epochs: figures 4 and 7 (App. B.2, E.2), and own studies of a fixed number of epochs.

A column is one network on one dataset, a row one quantity, a line one scale. Epochs are logarithmic beyond
the first and linear up to it, so that epoch 0 is shown.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FixedLocator, NullFormatter

from ntklens.figures.measured import name_of
from ntklens.figures.style import (
    LETTERS,
    RC,
    band,
    column_width,
    draw_band,
    label_panel,
    legend_columns,
    name_panel,
)
from ntklens.storage.quantities import QUANTITIES

ONE_RANGE = ("train_accuracy", "test_accuracy")  # those of different networks compare, their ranks don't


def collect(figure, shows, curves):
    """The content of the figure called ``figure``: panels row by row, each row a quantity it ``shows``."""
    averages = [curve.averages() for curve in curves]
    panels = [
        _panel(quantity, curve, points)
        for quantity in shows
        for curve, points in zip(curves, averages, strict=True)
    ]
    return {"figure": figure, "panels": panels, "fits": []}


def _panel(quantity, curve, averages):
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


def _series(curve, scale, along):
    return {
        "label": curve.point_label(scale),
        "scale": scale,
        "x": along.epoch.tolist(),
        **band(along.mean, along.error),
    }


def draw(content):
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
        for row, quantity in zip(grid, quantities, strict=True):
            if quantity in ONE_RANGE:
                _share_range(row)
        for letter, axes, panel in zip(LETTERS, grid.flat, panels, strict=False):
            for series in panel["series"]:
                draw_band(axes, series, color=colour[series["scale"]], label=series["label"])
            axes.set_ylabel(panel["ylabel"])
            label_panel(axes, letter)
        for axes, panel in zip(grid[0], panels[:columns], strict=True):
            name_panel(axes, panel["heading"], width)
        for axes, panel in zip(grid[-1], panels[-columns:], strict=True):
            axes.set_xlabel(panel["xlabel"])
            show_epochs(axes, panel)
        _explain_colours(figure, panels, colour)
    return figure


def colours_in_order(scales):
    """Scale -> colour, from dark for the least to light, evenly in the order of scales."""
    distinct = sorted(set(scales))
    # The yellow end of plasma is too faint for lines on white.
    shades = plt.get_cmap("plasma")(np.linspace(0, 0.85, len(distinct)))
    return {scale: tuple(shade) for scale, shade in zip(distinct, shades, strict=True)}


def _share_range(row):
    """Give the axes of one row one range of y, with numbers at the first alone."""
    for axes in row[1:]:
        axes.sharey(row[0])
        axes.tick_params(labelleft=False)


def show_epochs(axes, panel):
    """Make the x axis logarithmic in the panel's epochs, and linear from 0 to 1."""
    last = max(1, *(series["x"][-1] for series in panel["series"]))
    axes.set_xscale("symlog", linthresh=1, linscale=0.3)
    axes.set_xlim(0, last)
    powers = [10**exponent for exponent in range(len(str(last)))]
    axes.xaxis.set_major_locator(FixedLocator([0, *powers]))
    axes.xaxis.set_minor_locator(FixedLocator([digit * power for power in powers for digit in range(2, 10)]))
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def _explain_colours(figure, panels, colour):
    """Draw one legend above all panels, the least scale first."""
    lines = {line.get_label(): line for axes in figure.axes for line in axes.get_lines()}
    labels = {series["scale"]: series["label"] for panel in panels for series in panel["series"]}
    shown = [labels[scale] for scale in colour]
    columns = legend_columns(shown, figure.get_figwidth())
    handles = [lines[label] for label in shown]
    figure.legend(handles=handles, loc="outside upper center", ncols=columns, columnspacing=1.5)
