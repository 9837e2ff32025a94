"""Trace ratio and effective rank against width, and where each bends: figure 3, and own studies of width."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ntklens.analysis.intervals import Interval
from ntklens.analysis.laws import BentLaw
from ntklens.analysis.records import EyeReading, Laws
from ntklens.figures.content import FigureContent, Fit, Line, Panel, Series
from ntklens.figures.fitted import bent_law
from ntklens.figures.legends import clear_legends
from ntklens.figures.measured import MeasuredCurve, name_of
from ntklens.figures.style import (
    COLUMN,
    DATASET_COLOURS,
    LETTERS,
    RC,
    Look,
    band,
    draw_points,
    label_panel,
    log_scales,
    name_panel,
)
from ntklens.figures.ticks import plain_ticks, scale_ticks
from ntklens.storage.quantities import QUANTITIES

SHOWN = {  # quantity: its symbol in the legend, the label of its axis
    "trace_ratio": (r"$\beta$", f"{QUANTITIES['trace_ratio'].axis_label} (empty)"),
    # The value at the minimum: the symbol in the table of quantities doesn't say so.
    "effective_rank": (r"$\Gamma$", rf"{QUANTITIES['effective_rank'].label} $\Gamma(\Theta_\min)$ (filled)"),
}

LOOKS: dict[str, Look] = {  # a colour for each axis
    "trace_ratio": {"color": DATASET_COLOURS[0], "marker": "o"},
    "effective_rank": {"color": DATASET_COLOURS[1], "marker": "s"},
}
RIGHT_LABELS = 0.4  # inches, the width of the second y axis's labels
ON_TOP: dict[str, Any] = {"frameon": True, "edgecolor": "none", "framealpha": 0.85, "borderpad": 0.1}


class BendFit(Fit):
    """The laws fitted to one quantity of one curve, and the reading by eye."""

    laws: Laws
    by_eye: EyeReading | None


class WidthSeries(Series):
    """One quantity along width, with its fitted trend, if there is one.

    ``bend`` is the interval of the width at which the trend bends, None where no such law was fitted.
    ``no_bend_because`` says why its value is missing, or is empty.
    """

    quantity: str
    trend: Line | None
    bend: Interval | None
    no_bend_because: str


class WidthPanel(Panel[WidthSeries]):
    """Both quantities along one curve, and Γ_∞ for networks of infinite width, if it is known."""

    dataset: str
    network: str
    infinite_effective_rank: float | None
    drawn: dict[str, str]


def collect(figure: str, shows: Sequence[str], curves: Sequence[MeasuredCurve]) -> FigureContent[WidthPanel]:
    """Collect the content of ``figure``: panels row by row, in the cells in which `draw` puts them."""
    cells = _cells([(curve.network, curve.dataset) for curve in curves])
    panels: list[WidthPanel] = []
    fits: list[BendFit] = []
    for i in sorted(range(len(curves)), key=cells.__getitem__):
        curve = curves[i]
        found = curve.fit("transition")
        series = [_series(quantity, found[quantity]) for quantity in SHOWN]
        panels.append(_panel(curve, series, found["infinite_effective_rank"], found["drawn"]))
        fits += [_fit_record(curve, quantity, found) for quantity in SHOWN]
    return {"figure": figure, "panels": panels, "fits": fits}


def _cells(curves: Sequence[tuple[str, str]]) -> list[tuple[int, int]]:
    """The row and the column of each of ``curves`` (network, dataset).

    Each network has a row and each dataset a column. If there are more datasets than networks, and more than
    the two columns that fit a page, it is the other way round.
    """
    networks, datasets = (list(dict.fromkeys(names)) for names in zip(*curves, strict=True))
    cells = [(networks.index(network), datasets.index(dataset)) for network, dataset in curves]
    turned = len(datasets) > max(2, len(networks))
    return [(column, row) for row, column in cells] if turned else cells


def _panel(
    curve: MeasuredCurve, series: list[WidthSeries], infinite: float | None, drawn: dict[str, str]
) -> WidthPanel:
    return {
        "title": name_of(curve, with_network=True),
        "dataset": curve.dataset,
        "network": curve.network,
        "xlabel": curve.axis_label,
        "ylabel": " / ".join(label for _, label in SHOWN.values()),
        "series": series,
        "infinite_effective_rank": infinite,
        "drawn": drawn,
    }


def _fit_record(curve: MeasuredCurve, quantity: str, found: Mapping[str, Any]) -> BendFit:
    return {
        "dataset": curve.dataset,
        "network": curve.network,
        "quantity": quantity,
        "laws": found[quantity],
        "by_eye": found["by_eye"][quantity],
    }


def _series(quantity: str, laws: Laws) -> WidthSeries:
    """One quantity along width: its points, its bent law, and the interval of the width where that bends."""
    symbol, _ = SHOWN[quantity]
    bent = laws["bent_law"]
    law = bent_law(bent) if bent else None
    bend = bent["bend"] if bent else None
    return {
        "label": symbol,
        "quantity": quantity,
        "x": laws["scale"],
        **band(np.array(laws["mean"], dtype=float), np.array(laws["error"], dtype=float)),
        "trend": _trend(law, laws["scale"]) if law else None,
        "bend": bend,
        "no_bend_because": _why_not(laws, bend),
    }


def _why_not(laws: Laws, bend: Interval | None) -> str:
    """Why there is no bend, or nothing if there is one."""
    if bend is None:
        return laws["no_law_because"]
    return "it lies beyond what the widths can tell" if bend["value"] is None else ""


def _trend(law: BentLaw, scales: Iterable[int]) -> Line:
    x = np.geomspace(min(scales), max(scales), 200)
    return {"x": x.tolist(), "y": np.asarray(law(x)).tolist()}


def draw(content: FigureContent[WidthPanel]) -> Figure:
    """Draw one row for each network and one column for each dataset, or the other way round.

    The left axis and its colour are β's, the right ones Γ's. A grey band is the interval of the width at
    which a quantity's law bends, hatched for Γ; the legend has the numbers.
    """
    panels = content["panels"]
    cells = _cells([(panel["network"], panel["dataset"]) for panel in panels])
    rows, columns = (1 + max(places) for places in zip(*cells, strict=True))
    with plt.rc_context(RC):
        figure, grid = plt.subplots(rows, columns, figsize=(COLUMN * columns, 2.5 * rows), squeeze=False)
        for axes in grid.flat:
            axes.set_visible(False)  # until a panel uses it
        for letter, cell, panel in zip(LETTERS, cells, panels, strict=False):
            axes = grid[cell]
            axes.set_visible(True)
            _draw_panel(axes, panel)
            label_panel(axes, letter)
        clear_legends(figure)
    return figure


def _draw_panel(left: Axes, panel: WidthPanel) -> None:
    right = left.twinx()
    handles: list[Artist] = []
    for series in panel["series"]:
        beta = series["quantity"] == "trace_ratio"
        axes, look = left if beta else right, LOOKS[series["quantity"]]
        handles.append(draw_points(axes, series, series["trend"], look, _text_of(series), empty=beta))
        log_scales(axes)
        axes.set_ylabel(SHOWN[series["quantity"]][1], color=look["color"])
        axes.tick_params(axis="y", which="both", left=beta, right=not beta, labelcolor=look["color"])
    left.set_xlabel(panel["xlabel"])
    name_panel(left, panel["title"], COLUMN - RIGHT_LABELS)
    for series in panel["series"]:
        _draw_interval(left, series)
    infinite = panel["infinite_effective_rank"]
    if infinite is not None:
        look = LOOKS["effective_rank"]
        text = rf"$\Gamma_\infty$ = {infinite:.0f}"
        handles.append(right.axhline(infinite, color=look["color"], linestyle=":", linewidth=1.0, label=text))
    for axes in (left, right):
        scale_ticks(axes.xaxis, [series["x"] for series in panel["series"]])
        plain_ticks(axes.yaxis)
    right.legend(handles=handles, loc="upper right", handlelength=1.5, **ON_TOP)


def _text_of(series: WidthSeries) -> str:
    """What the legend says of a series."""
    return bend_text(SHOWN[series["quantity"]][0], series["bend"])


def _draw_interval(axes: Axes, series: WidthSeries) -> None:
    """Shade the interval of the bend, up to the ends of the axis on a side where it is open."""
    bend = series["bend"]
    if bend is None or not (bend["low"] or bend["low_open"]) or not (bend["high"] or bend["high_open"]):
        return
    first, last = axes.get_xlim()
    low, high = bend["low"] or first, bend["high"] or last
    if high <= first or low >= last:
        return
    hatch = "////" if series["quantity"] == "effective_rank" else None
    axes.axvspan(
        max(low, first),
        min(high, last),
        facecolor="0.85",
        edgecolor="0.7",
        hatch=hatch,
        linewidth=0,
        zorder=0,
    )
    axes.set_xlim(first, last)


def bend_text(symbol: str, bend: Interval | None) -> str:
    """Where the quantity with this symbol bends, such as ``β bends at 510 [467, 554]``."""
    if bend is None or (bend["value"] is None and bend["low"] is None and bend["high"] is None):
        return f"{symbol}: no bend identified"
    value, low, high = (_width(bend[key]) for key in ("value", "low", "high"))
    known = bend["low_open"] or bend["high_open"] or bend["low"] is not None
    return f"{symbol} bends at {value}" + (f" [{low}, {high}]" if known else "")


def _width(width: float | None) -> str:
    return "…" if width is None else f"{width:.0f}"
