"""Figure 1: trace, adaptation rate and effective rank of the NTK against the train loss."""

import matplotlib.pyplot as plt

from ntklens.figures.along_training import TRAIN_LOSS, draw_lines, panel, read_curve, scale_bar, scales
from ntklens.figures.style import COLUMN, LETTERS, RC, label_panel, name_panel, scale_colours

ROWS = ("trace", "adaptation rate", "effective rank")


def collect(curves):
    """The content of figure 1. ``curves``: study -> (dataset, ensembles file, adaptation-rate file)."""
    read = [read_curve(study, *files) for study, files in curves.items()]
    return {
        "figure": "1",
        "panels": [panel(curve, quantity) for quantity in ROWS for curve in read],
        "fits": [],
    }


def draw(content):
    """Draw the content of figure 1: a row a quantity, a column a study."""
    panels = content["panels"]
    studies = list(dict.fromkeys(panel["study"] for panel in panels))
    with plt.rc_context(RC):
        figure, grid = plt.subplots(
            len(ROWS),
            len(studies),
            figsize=(COLUMN * len(studies), 6.6),
            sharex="col",
            squeeze=False,
        )
        for letter, axes, shown in zip(LETTERS, grid.flat, panels, strict=False):
            draw_lines(axes, shown, scale_colours(scales([shown]))[0])
            label_panel(axes, letter)
        for column, study in enumerate(studies):
            top = panels[column]
            name_panel(grid[0, column], top["heading"], COLUMN)
            grid[0, column].invert_xaxis()  # training reads from left to right
            grid[-1, column].set_xlabel(TRAIN_LOSS)
            scale_bar(figure, grid[:, column], study, scales([top]), "bottom")
    return figure
