"""Figures 4 and 7: effective rank and accuracies against epochs, by how much was removed (App. B.2, E.2).

A column is one network on one dataset, a line one level of removal. Epochs are logarithmic beyond the
first and linear up to it, so that epoch 0 is shown.
"""

import argparse
import json

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FixedLocator, NullFormatter

from ntklens.analysis.noise_ensemble import read_noise_ensembles
from ntklens.data.registry import title
from ntklens.figures.style import (
    COLUMN,
    LETTERS,
    RC,
    band,
    draw_band,
    label_panel,
    name_panel,
    save_figure,
)

EPOCH = "Epoch"
QUANTITIES = {  # name of an ensemble's array -> its epochs, label of the axis
    "effective_rank": ("spectrum_epoch", r"Effective rank $\Gamma(\Theta)$"),
    "train_accuracy": ("epoch", "Train accuracy"),
    "test_accuracy": ("epoch", "Test accuracy"),
}
ROWS = {"4": ("effective_rank",), "7": ("train_accuracy", "test_accuracy")}  # figure -> its rows
ONE_RANGE = ("7",)  # accuracies of networks compare, their ranks don't
NARROW = 2.5  # inches, a column where there are more than two


def collect(number, curves):
    """The content of figure ``number``, 4 or 7. ``curves``: (dataset, network) -> ensembles file."""
    ensembles = {curve: read_noise_ensembles(path) for curve, path in curves.items()}
    panels = [
        _panel(quantity, *curve, levels) for quantity in ROWS[number] for curve, levels in ensembles.items()
    ]
    return {"figure": number, "panels": panels, "fits": []}


def _panel(quantity, dataset, network, levels):
    _, ylabel = QUANTITIES[quantity]
    heading = f"{title(dataset)}, {network}"
    return {
        "title": f"{heading}: {quantity.replace('_', ' ')}",
        "heading": heading,
        "dataset": dataset,
        "network": network,
        "quantity": quantity,
        "xlabel": EPOCH,
        "ylabel": ylabel,
        "series": [_series(quantity, level) for level in levels],
    }


def _series(quantity, level):
    epochs, _ = QUANTITIES[quantity]
    return {
        "label": f"{level.removed_percent} % removed",
        "removed_percent": level.removed_percent,
        "x": getattr(level, epochs).tolist(),
        **band(getattr(level, quantity), getattr(level, f"{quantity}_error")),
    }


def draw(content):
    """Draw the content of figure 4 or 7: a row a quantity, a column a network on a dataset."""
    panels, rows = content["panels"], ROWS[content["figure"]]
    columns = len(panels) // len(rows)
    width = COLUMN if columns <= 2 else NARROW
    colour = level_colours([series["removed_percent"] for panel in panels for series in panel["series"]])
    with plt.rc_context(RC):
        figure, grid = plt.subplots(
            len(rows),
            columns,
            figsize=(width * columns, 0.4 + 2.2 * len(rows)),
            sharex="col",
            sharey="row" if content["figure"] in ONE_RANGE else False,
            squeeze=False,
        )
        for letter, axes, panel in zip(LETTERS, grid.flat, panels, strict=False):
            for series in panel["series"]:
                draw_band(axes, series, color=colour[series["removed_percent"]], label=series["label"])
            axes.set_ylabel(panel["ylabel"])
            label_panel(axes, letter)
        for column in range(columns):
            name_panel(grid[0, column], panels[column]["heading"], width)
            grid[-1, column].set_xlabel(EPOCH)
            show_epochs(grid[-1, column], panels[column])
        _explain_levels(figure, panels, colour)
    return figure


def level_colours(levels):
    """Level -> colour, from dark for nothing removed to light, evenly in the order of levels."""
    distinct = sorted(set(levels))
    # The yellow end of plasma is too faint for lines on white.
    shades = plt.get_cmap("plasma")(np.linspace(0, 0.85, len(distinct)))
    return {level: tuple(shade) for level, shade in zip(distinct, shades, strict=True)}


def show_epochs(axes, panel):
    """A logarithmic axis of the panel's epochs, linear from 0 to 1."""
    last = max(series["x"][-1] for series in panel["series"])
    axes.set_xscale("symlog", linthresh=1, linscale=0.3)
    axes.set_xlim(0, last)
    powers = [10**exponent for exponent in range(len(str(last)))]
    axes.xaxis.set_major_locator(FixedLocator([0, *powers]))
    axes.xaxis.set_minor_locator(FixedLocator([digit * power for power in powers for digit in range(2, 10)]))
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def _explain_levels(figure, panels, colour):
    """One legend above all panels, least removed first."""
    lines = {line.get_label(): line for axes in figure.axes for line in axes.get_lines()}
    labels = {s["removed_percent"]: s["label"] for panel in panels for s in panel["series"]}
    handles = [lines[labels[level]] for level in colour]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), columnspacing=1.5)


def make_figure(number, description, argv):
    """The command line of figure ``number``: collect from the files that it names, draw, save."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--settings", required=True, type=json.loads, help="list of [dataset, network], a file each"
    )
    parser.add_argument("--ensembles", required=True, nargs="+")
    parser.add_argument("--out", required=True, help="the PDF; PNG and JSON go beside it")
    args = parser.parse_args(argv)
    files = zip(args.settings, args.ensembles, strict=True)
    content = collect(number, {tuple(curve): path for curve, path in files})
    save_figure(draw(content), content, args.out, args.ensembles, args.settings)
