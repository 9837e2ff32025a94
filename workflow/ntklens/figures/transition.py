"""Trace ratio and effective rank against width, and where each bends: figure 3, and own studies of width."""

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ntklens.analysis.laws import BrokenPowerLaw, PowerLaw
from ntklens.figures.content import FigureContent, Fit, Line, Panel, Series
from ntklens.figures.measured import MeasuredCurve, name_of
from ntklens.figures.style import (
    COLUMN,
    LETTERS,
    RC,
    Look,
    band,
    draw_points,
    label_panel,
    log_scales,
    look_of,
    name_panel,
    plain_ticks,
    room_for_legend,
)
from ntklens.storage.quantities import QUANTITIES

SHOWN = {  # quantity: its symbol in the legend, the label of its axis
    "trace_ratio": (r"$\beta$", f"{QUANTITIES['trace_ratio'].axis_label} (empty)"),
    # The value at the minimum: the symbol in the table of quantities doesn't say so.
    "effective_rank": (r"$\Gamma$", rf"{QUANTITIES['effective_rank'].label} $\Gamma(\Theta_\min)$ (filled)"),
}

RIGHT_LABELS = 0.4  # inches, the width of the second y axis's labels
ON_TOP: dict[str, Any] = {"frameon": True, "edgecolor": "none", "framealpha": 0.85, "borderpad": 0.1}


class BendLaws(TypedDict):
    """The laws fitted to a quantity. ``no_bend_because`` is empty where a bend is identified."""

    power_law: dict[str, Any] | None  # the fields of a `PowerLaw`
    broken_power_law: dict[str, Any] | None  # the fields of a `BrokenPowerLaw`
    no_bend_because: str


class Summary(BendLaws):
    """A quantity along one curve and the laws fitted to it, from workflow/scripts/transition.py."""

    scale: list[int]
    mean: list[float | None]
    error: list[float | None] | None


class BendFit(Fit, BendLaws):
    """The laws fitted to one quantity of one curve."""


class WidthSeries(Series):
    """One quantity along width, with its fitted trend, if there is one."""

    quantity: str
    trend: Line | None
    transition_width: float | None  # where it bends, None where no bend is identified
    no_transition_because: str


class WidthPanel(Panel[WidthSeries]):
    """Both quantities along one curve."""

    dataset: str
    network: str


def collect(figure: str, shows: Sequence[str], curves: Sequence[MeasuredCurve]) -> FigureContent[WidthPanel]:
    """Collect the content of ``figure``: panels row by row, each row one network."""
    networks = list(dict.fromkeys(curve.network for curve in curves))
    panels: list[WidthPanel] = []
    fits: list[BendFit] = []
    for curve in sorted(curves, key=lambda curve: networks.index(curve.network)):
        laws = curve.fit("transition")
        series = [_series(quantity, laws[quantity]) for quantity in SHOWN]
        panels.append(_panel(curve, series))
        fits += [_fit_record(curve, quantity, laws[quantity]) for quantity in SHOWN]
    return {"figure": figure, "panels": panels, "fits": fits}


def _panel(curve: MeasuredCurve, series: list[WidthSeries]) -> WidthPanel:
    return {
        "title": name_of(curve, with_network=True),
        "dataset": curve.dataset,
        "network": curve.network,
        "xlabel": curve.axis_label,
        "ylabel": " / ".join(label for _, label in SHOWN.values()),
        "series": series,
    }


def _fit_record(curve: MeasuredCurve, quantity: str, laws: BendLaws) -> BendFit:
    return {
        "dataset": curve.dataset,
        "network": curve.network,
        "quantity": quantity,
        "power_law": laws["power_law"],
        "broken_power_law": laws["broken_power_law"],
        "no_bend_because": laws["no_bend_because"],
    }


def _series(quantity: str, laws: Summary) -> WidthSeries:
    """One quantity along width: its points, its fitted trend, and the width of its bend if it has one.

    The legend quotes the exponent that the paper reports: below the bend for Γ, above it for β. Where no bend
    is identified, it quotes the exponent of the plain power law.
    """
    symbol, _ = SHOWN[quantity]
    low_side = quantity == "effective_rank"
    broken, plain = laws["broken_power_law"], laws["power_law"]
    if broken:
        law, exponent = BrokenPowerLaw(**broken), broken["below" if low_side else "above"]
        side = " below" if low_side else " above"
    elif plain:
        law, exponent, side = PowerLaw(**plain), plain["exponent"], ""
    else:
        law, exponent, side = None, None, ""
    text = "no power law" if law is None else rf"$\alpha={exponent:.2f}${side}"
    return {
        "label": f"{symbol}: {text}",
        "quantity": quantity,
        "x": laws["scale"],
        **band(laws["mean"], laws["error"]),
        "trend": _trend(law, laws["scale"]) if law else None,
        "transition_width": broken["bend"] if broken else None,
        "no_transition_because": laws["no_bend_because"],
    }


def _trend(law: BrokenPowerLaw | PowerLaw, scales: Iterable[int]) -> Line:
    x = np.geomspace(min(scales), max(scales), 200)
    return {"x": x.tolist(), "y": np.asarray(law(x)).tolist()}


def draw(content: FigureContent[WidthPanel]) -> Figure:
    """Draw one row for each network and one column for each dataset.

    The left axis is β's, the right axis Γ's. A grey line marks the width of each bend: dashed for β, solid
    for Γ. Where no bend is identified, the legend says so.
    """
    panels = content["panels"]
    datasets = list(dict.fromkeys(panel["dataset"] for panel in panels))
    networks = list(dict.fromkeys(panel["network"] for panel in panels))
    look = look_of(datasets)
    with plt.rc_context(RC):
        figure, grid = plt.subplots(
            len(networks),
            len(datasets),
            figsize=(COLUMN * len(datasets), 2.5 * len(networks)),
            squeeze=False,
        )
        for axes in grid.flat:
            axes.set_visible(False)  # until a panel uses it
        for letter, panel in zip(LETTERS, panels, strict=False):
            axes = grid[networks.index(panel["network"]), datasets.index(panel["dataset"])]
            axes.set_visible(True)
            _draw_panel(axes, panel, look[panel["dataset"]])
            label_panel(axes, letter)
    return figure


def _draw_panel(left: Axes, panel: WidthPanel, look: Look) -> None:
    right = left.twinx()
    lines: list[Line2D] = []
    for series in panel["series"]:
        beta = series["quantity"] == "trace_ratio"
        axes = left if beta else right
        lines.append(draw_points(axes, series, series["trend"], look, series["label"], empty=beta))
        log_scales(axes)
        axes.set_ylabel(SHOWN[series["quantity"]][1])
        axes.tick_params(axis="y", which="both", left=beta, right=not beta)
    left.set_xlabel(panel["xlabel"])
    name_panel(left, panel["title"], COLUMN - RIGHT_LABELS)
    for series, style in zip(panel["series"], ("--", "-"), strict=True):
        symbol = SHOWN[series["quantity"]][0]
        width = series["transition_width"]
        if width is None:
            lines += left.plot([], [], " ", label=f"{symbol}: no bend identified")
        else:
            lines.append(
                left.axvline(
                    width,
                    color="0.6",
                    linestyle=style,
                    zorder=0,
                    label=f"{symbol} bends at {width:.0f}",
                )
            )
    for axes in (left, right):
        room_for_legend(axes, 0.3, below=True)
        plain_ticks(axes.yaxis)
    right.legend(handles=lines, loc="lower center", ncols=2, columnspacing=1.0, handlelength=1.5, **ON_TOP)
