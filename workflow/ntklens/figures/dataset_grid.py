"""Figures 5, 6 and 8: the NTK's dynamics on every dataset, and its alignment with the labels.

A panel is one study on one dataset: a column a dataset, model scaling in the upper row and data
scaling in the lower (App. E.1, E.3). Where a figure shows two quantities, a panel is two axes, one
above the other, that share the train loss.
"""

import argparse
import json

import matplotlib.pyplot as plt
from matplotlib.lines import Line2D

from ntklens.data.registry import title
from ntklens.figures.along_training import (
    STUDIES,
    draw_lines,
    form_styles,
    panel,
    read_curve,
    scale_bar,
    scales,
)
from ntklens.figures.style import (
    COLUMN,
    LETTERS,
    RC,
    label_panel,
    name_panel,
    save_figure,
    scale_colours,
)

QUANTITIES = {
    "5": ("trace", "adaptation rate"),
    "6": ("effective rank",),
    "8": ("label alignment", "misalignment"),
}
NARROW = 2.5  # inches, a dataset's column where there are more than two
HEIGHTS = {1: 2.3, 2: 3.3}  # inches, of a panel of one or two axes


def collect(number, curves):
    """The content of figure ``number``, from a list of `Curve`, panels in reading order."""
    panels = [
        {**panel(curve, quantity), "dataset": curve.dataset, "heading": title(curve.dataset)}
        for curve in _in_reading_order(curves)
        for quantity in QUANTITIES[number]
    ]
    return {"figure": number, "panels": panels, "fits": []}


def _in_reading_order(curves):
    studies = list(STUDIES)
    by_row = sorted(curves, key=lambda curve: studies.index(curve.study))
    datasets = list(dict.fromkeys(curve.dataset for curve in by_row))
    return sorted(by_row, key=lambda curve: (studies.index(curve.study), datasets.index(curve.dataset)))


def draw(content):
    """Draw the content of figure 5, 6 or 8: a column a dataset, a row a study."""
    places = _places(content["panels"])
    studies, datasets = (list(dict.fromkeys(keys)) for keys in zip(*places, strict=True))
    stacked = len(QUANTITIES[content["figure"]])
    width = COLUMN if len(datasets) <= 2 else NARROW
    with plt.rc_context(RC):
        figure, grid = plt.subplots(
            stacked * len(studies),
            len(datasets),
            figsize=(width * len(datasets) + 0.5, HEIGHTS[stacked] * len(studies)),
            squeeze=False,
        )
        for axes in grid.flat:
            axes.set_visible(False)  # until a panel claims it
        for letter, ((study, dataset), panels) in zip(LETTERS, places.items(), strict=False):
            first = stacked * studies.index(study)
            stack = grid[first : first + stacked, datasets.index(dataset)]
            _draw_stack(stack, panels, scale_colours(_scales_of(study, places))[0])
            label_panel(stack[0], letter)
            name_panel(stack[0], panels[0]["heading"], width)
        for i, study in enumerate(studies):
            row = grid[stacked * i : stacked * (i + 1)]
            scale_bar(figure, row, study, _scales_of(study, places), "right")
        figure.align_ylabels()
        _explain_forms(figure, content["panels"])
    return figure


def _places(panels):
    """(study, dataset) -> its panels, one above the other, in reading order."""
    places = {}
    for shown in panels:
        places.setdefault((shown["study"], shown["dataset"]), []).append(shown)
    return places


def _scales_of(study, places):
    """The scales of all datasets of ``study``: one colour bar serves the row."""
    return scales([shown for (row, _), panels in places.items() if row == study for shown in panels])


def _draw_stack(stack, panels, colour):
    for axes in stack[:-1]:
        axes.sharex(stack[-1])
        axes.tick_params(labelbottom=False)
    for axes, shown in zip(stack, panels, strict=True):
        axes.set_visible(True)
        draw_lines(axes, shown, colour)
    stack[-1].invert_xaxis()  # training reads from left to right
    stack[-1].set_xlabel(panels[-1]["xlabel"])


def _explain_forms(figure, panels):
    """A legend of line styles, once a figure, where a quantity is drawn in several forms."""
    styles = {
        (shown["quantity"], form): style
        for shown in panels
        if len(form_styles(shown)) > 1
        for form, style in form_styles(shown).items()
    }
    lines = [
        Line2D([], [], color="0.3", linestyle=style, label=f"{quantity}, {form}")
        for (quantity, form), style in styles.items()
    ]
    if lines:
        figure.legend(handles=lines, loc="outside lower center", ncols=len(lines))


def make_figure(number, description, argv):
    """The command line of figure ``number``: collect from the files that it names, draw, save."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--settings", required=True, type=json.loads, help="list of [study, dataset], a file each"
    )
    parser.add_argument("--ensembles", required=True, nargs="+")
    if "adaptation rate" in QUANTITIES[number]:
        parser.add_argument("--adaptation-rates", required=True, nargs="+")
    parser.add_argument("--out", required=True, help="the PDF; PNG and JSON go beside it")
    args = parser.parse_args(argv)
    inputs = [args.ensembles, args.adaptation_rates] if "adaptation_rates" in args else [args.ensembles]
    curves = [read_curve(*curve, *files) for curve, *files in zip(args.settings, *inputs, strict=True)]
    content = collect(number, curves)
    save_figure(draw(content), content, args.out, [path for files in inputs for path in files], args.settings)
