"""Figure 1: quantities of the NTK against the train loss, with one row each, for one curve of each study."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from ntklens.figures.along_training import (
    TrainingPanel,
    draw_lines,
    panels_of,
    scale_bar,
    scales,
    show_fall,
)
from ntklens.figures.content import FigureContent
from ntklens.figures.measured import MeasuredCurve
from ntklens.figures.style import COLUMN, LETTERS, RC, label_panel, name_panel, scale_colours


def collect(
    figure: str, shows: Sequence[str], curves: Sequence[MeasuredCurve]
) -> FigureContent[TrainingPanel]:
    """Collect the content of ``figure``: panels row by row, each row one quantity."""
    columns = [panels_of(curve, shows) for curve in curves]
    panels = [panel for row in zip(*columns, strict=True) for panel in row]
    return {"figure": figure, "panels": panels, "fits": []}


def draw(content: FigureContent[TrainingPanel]) -> Figure:
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
            show_fall(grid[-1, column], top["xlabel"])
            scale_bar(figure, grid[:, [column]], top["scale_label"], scales([top]), "bottom")
    return figure
