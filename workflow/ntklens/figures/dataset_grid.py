"""Quantities of the NTK against the train loss on every dataset: figures 5, 6 and 8, and own studies.

There is one column for each dataset and one row for each study, or for each network of a study that has
several on a dataset (App. E.1, E.3). Where a figure shows several quantities, each cell of this grid stacks
their panels, which share the axis of the train loss.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ntklens.figures.along_training import (
    LineStyle,
    TrainingPanel,
    draw_lines,
    form_styles,
    panels_of,
    scale_bar,
    scales,
    show_fall,
)
from ntklens.figures.content import FigureContent
from ntklens.figures.measured import MeasuredCurve, name_of, several_networks
from ntklens.figures.style import LETTERS, RC, Colour, column_width, label_panel, name_panel, scale_colours
from ntklens.figures.ticks import spread_ticks

Key = TypeVar("Key", bound=Hashable)


class GridPanel(TrainingPanel):
    """A panel, with the name of its row of the grid."""

    row: str


def collect(figure: str, shows: Sequence[str], curves: Sequence[MeasuredCurve]) -> FigureContent[GridPanel]:
    """Collect the content of ``figure``, with panels in reading order."""
    several = several_networks(curves)
    panels: list[GridPanel] = [
        {**panel, "row": _row_of(curve, several), "heading": name_of(curve, with_network=several)}
        for curve in _in_reading_order(curves, several)
        for panel in panels_of(curve, shows)
    ]
    return {"figure": figure, "panels": panels, "fits": []}


def _row_of(curve: MeasuredCurve, several: bool) -> str:
    """The name of the row that shows ``curve``; ``several`` if a study has several networks on a dataset."""
    return f"{curve.study}, {curve.network}" if several else curve.study


def _in_reading_order(curves: Sequence[MeasuredCurve], several: bool) -> list[MeasuredCurve]:
    """``curves`` row by row; within every row, datasets have the order of their first appearance."""
    rows = _in_order(_row_of(curve, several) for curve in curves)
    by_row = sorted(curves, key=lambda curve: rows.index(_row_of(curve, several)))
    datasets = _in_order(curve.dataset for curve in by_row)
    return sorted(
        by_row, key=lambda curve: (rows.index(_row_of(curve, several)), datasets.index(curve.dataset))
    )


def _in_order(keys: Iterable[Key]) -> list[Key]:
    """The distinct ``keys``, in the order of their first appearance."""
    return list(dict.fromkeys(keys))


def draw(content: FigureContent[GridPanel]) -> Figure:
    """Draw the grid, with one colour bar beside each row.

    Where the ticks of one bar can't hold the scales of all datasets, each dataset has a bar of its own.
    """
    places = _places(content["panels"])
    rows, datasets = (_in_order(names) for names in zip(*places, strict=True))
    stacked = max(map(len, places.values()))
    width = column_width(len(datasets))
    with plt.rc_context(RC):
        figure, grid = plt.subplots(
            stacked * len(rows),
            len(datasets),
            figsize=(width * len(datasets), _height(stacked) * len(rows)),
            squeeze=False,
        )
        for axes in grid.flat:
            axes.set_visible(False)  # until a panel uses it
        for letter, ((row, dataset), panels) in zip(LETTERS, places.items(), strict=False):
            first = stacked * rows.index(row)
            stack = grid[first : first + stacked, datasets.index(dataset)]
            _draw_stack(stack, panels, scale_colours(_scales_of(panels[0]["study"], content))[0])
            label_panel(stack[0], letter)
            name_panel(stack[0], panels[0]["heading"], width)
        for i, row in enumerate(rows):
            cells = {dataset: panels for (own, dataset), panels in places.items() if own == row}
            any_panel, *_ = next(iter(cells.values()))
            label, coloured = any_panel["scale_label"], _scales_of(any_panel["study"], content)
            stacks = grid[stacked * i : stacked * (i + 1)]
            if spread_ticks(coloured) == coloured:
                scale_bar(figure, stacks, label, coloured, "right")
                continue
            for dataset, panels in cells.items():
                beside = stacks[:, [datasets.index(dataset)]]
                scale_bar(figure, beside, label, scales(panels), "right", coloured)
        figure.align_ylabels()
        _explain_forms(figure, content["panels"])
    return figure


def _height(stacked: int) -> float:
    """The height in inches of a row of the grid that stacks ``stacked`` quantities."""
    # Three or more need more height each: otherwise the labels of their axes would touch.
    return 1.3 + stacked if stacked <= 2 else 0.5 + 1.4 * stacked


def _places(panels: Iterable[GridPanel]) -> dict[tuple[str, str], list[GridPanel]]:
    """The panels of each cell (row, dataset) from top to bottom, with cells in reading order."""
    places: dict[tuple[str, str], list[GridPanel]] = {}
    for panel in panels:
        places.setdefault((panel["row"], panel["dataset"]), []).append(panel)
    return places


def _scales_of(study: str, content: FigureContent[GridPanel]) -> list[int]:
    """The scales of all panels of ``study``, which share one map of colours."""
    return scales([panel for panel in content["panels"] if panel["study"] == study])


def _draw_stack(stack: np.ndarray, panels: Sequence[GridPanel], colour: Callable[[int], Colour]) -> None:
    for axes in stack[:-1]:
        axes.sharex(stack[-1])
        axes.tick_params(labelbottom=False)
    for axes, panel in zip(stack, panels, strict=True):
        axes.set_visible(True)
        draw_lines(axes, panel, colour)
    show_fall(stack[-1], panels[-1]["xlabel"])


def _explain_forms(figure: Figure, panels: Iterable[GridPanel]) -> None:
    """Draw one legend of line styles if a quantity is drawn in several forms."""
    styles: dict[tuple[str, str], LineStyle] = {
        (panel["quantity"].replace("_", " "), form): style
        for panel in panels
        if len(form_styles(panel)) > 1
        for form, style in form_styles(panel).items()
    }
    lines = [
        Line2D([], [], color="0.3", linestyle=style, label=f"{quantity}, {form}")
        for (quantity, form), style in styles.items()
    ]
    if lines:
        figure.legend(handles=lines, loc="outside lower center", ncols=len(lines))
