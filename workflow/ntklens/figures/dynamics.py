"""Figure 1: quantities of the NTK against the train loss, one row each, for one curve of each study."""

import matplotlib.pyplot as plt

from ntklens.figures.along_training import TRAIN_LOSS, draw_lines, panels_of, scale_bar, scales
from ntklens.figures.style import COLUMN, LETTERS, RC, label_panel, name_panel, scale_colours


def collect(figure, shows, curves):
    """The content of the figure called ``figure``: panels row by row, each row one quantity."""
    columns = [panels_of(curve, shows) for curve in curves]
    panels = [panel for row in zip(*columns, strict=True) for panel in row]
    return {"figure": figure, "panels": panels, "fits": []}


def draw(content):
    """Draw one row for each quantity and one column for each study."""
    panels = content["panels"]
    rows = len({panel["quantity"] for panel in panels})
    columns = len(panels) // rows
    with plt.rc_context(RC):
        figure, grid = plt.subplots(
            rows, columns, figsize=(COLUMN * columns, 2.2 * rows), sharex="col", squeeze=False
        )
        for letter, axes, shown in zip(LETTERS, grid.flat, panels, strict=False):
            draw_lines(axes, shown, scale_colours(scales([shown]))[0])
            label_panel(axes, letter)
        for column, top in enumerate(panels[:columns]):
            name_panel(grid[0, column], top["heading"], COLUMN)
            grid[0, column].invert_xaxis()  # training reads from left to right
            grid[-1, column].set_xlabel(TRAIN_LOSS)
            scale_bar(figure, grid[:, column], top["scale_label"], scales([top]), "bottom")
    return figure
