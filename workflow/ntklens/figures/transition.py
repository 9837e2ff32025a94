"""Figure 3: trace ratio and effective rank against width, and where each bends."""

import matplotlib.pyplot as plt
import numpy as np

from ntklens.analysis.laws import BrokenPowerLaw, PowerLaw
from ntklens.data.registry import title
from ntklens.figures.style import (
    COLUMN,
    LETTERS,
    RC,
    band,
    dataset_look,
    draw_points,
    label_panel,
    name_panel,
    plain_ticks,
    room_for_legend,
)
from ntklens.storage.files import read_json

QUANTITIES = {
    "trace_ratio": (r"$\beta$", r"Trace ratio $\beta$ (empty)"),
    "effective_rank": (r"$\Gamma$", r"Effective rank $\Gamma(\Theta_\min)$ (filled)"),
}

RIGHT_LABELS = 0.4  # inches, of the second y axis
ON_TOP = {"frameon": True, "edgecolor": "none", "framealpha": 0.85, "borderpad": 0.1}


def collect(curves):
    """The content of figure 3. ``curves``: (dataset, network) -> transition file."""
    panels, fits = [], []
    networks = list(dict.fromkeys(network for _, network in curves))
    in_reading_order = sorted(curves, key=lambda curve: networks.index(curve[1]))
    for dataset, network in in_reading_order:
        laws = read_json(curves[dataset, network])
        series = [_series(quantity, laws[quantity]) for quantity in QUANTITIES]
        panels.append(
            {
                "title": f"{title(dataset)}, {network}",
                "dataset": dataset,
                "network": network,
                "xlabel": "Model width m",
                "ylabel": " / ".join(label for _, label in QUANTITIES.values()),
                "series": series,
            }
        )
        fits += [
            {
                "dataset": dataset,
                "network": network,
                "quantity": s["quantity"],
                "power_law": laws[s["quantity"]]["power_law"],
                "broken_power_law": laws[s["quantity"]]["broken_power_law"],
                "no_bend_because": laws[s["quantity"]]["no_bend_because"],
            }
            for s in series
        ]
    return {"figure": "3", "panels": panels, "fits": fits}


def _series(quantity, laws):
    """One quantity along width: points, the fitted trend, and the width of its bend if it has one.

    The legend quotes the exponent of the regime that the paper reads off: Γ's below its bend, β's
    above; of the plain power law where no bend is identified.
    """
    symbol, _ = QUANTITIES[quantity]
    low_side = quantity == "effective_rank"
    broken, plain = laws["broken_power_law"], laws["power_law"]
    x = np.geomspace(min(laws["scale"]), max(laws["scale"]), 200)
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
        "trend": law and {"x": x.tolist(), "y": law(x).tolist()},
        "transition_width": broken and broken["bend"],
        "no_transition_because": laws["no_bend_because"],
    }


def draw(content):
    """Draw the content of figure 3: a row a network, a column a dataset.

    β reads on the left axis, Γ on the right. A grey line marks each transition: dashed for β's
    bend, solid for Γ's. Where there is none the panel says so.
    """
    panels = content["panels"]
    datasets = list(dict.fromkeys(panel["dataset"] for panel in panels))
    networks = list(dict.fromkeys(panel["network"] for panel in panels))
    look = dataset_look(datasets)
    with plt.rc_context(RC):
        figure, grid = plt.subplots(
            len(networks),
            len(datasets),
            figsize=(COLUMN * len(datasets), 2.5 * len(networks)),
            squeeze=False,
        )
        for axes in grid.flat:
            axes.set_visible(False)  # until a panel claims it
        for letter, panel in zip(LETTERS, panels, strict=False):
            axes = grid[networks.index(panel["network"]), datasets.index(panel["dataset"])]
            axes.set_visible(True)
            _draw_panel(axes, panel, look[panel["dataset"]])
            label_panel(axes, letter)
    return figure


def _draw_panel(left, panel, look):
    right = left.twinx()
    lines = []
    for series in panel["series"]:
        beta = series["quantity"] == "trace_ratio"
        axes = left if beta else right
        lines.append(draw_points(axes, series, series["trend"], look, series["label"], empty=beta))
        axes.set_yscale("log")
        axes.set_ylabel(QUANTITIES[series["quantity"]][1])
        axes.tick_params(axis="y", which="both", left=beta, right=not beta)
    left.set_xscale("log")
    left.set_xlabel(panel["xlabel"])
    name_panel(left, panel["title"], COLUMN - RIGHT_LABELS)
    for series, style in zip(panel["series"], ("--", "-"), strict=True):
        symbol = QUANTITIES[series["quantity"]][0]
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
