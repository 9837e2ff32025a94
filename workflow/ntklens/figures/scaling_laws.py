"""How test loss, effective rank, initial trace and adaptation rate scale: figure 2, and own studies."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D

from ntklens.analysis.laws import LimitedPowerLaw, PowerLaw
from ntklens.figures.measured import name_of, several_networks
from ntklens.figures.style import (
    COLUMN,
    LETTERS,
    RC,
    band,
    draw_points,
    label_panel,
    legend_columns,
    log_scales,
    look_of,
    plain_ticks,
    room_for_legend,
)
from ntklens.storage.quantities import QUANTITIES

SYMBOLS = {
    "initial_trace": f"${QUANTITIES['initial_trace'].symbol}$",
    # Taken at the minimum, which the table's symbol does not say.
    "adaptation_rate": r"$-\chi(\Theta_\min)$",
}
COLUMNS = (
    (("test_loss",), f"{QUANTITIES['test_loss'].label} at minimum ${QUANTITIES['test_loss'].symbol}$"),
    (("effective_rank",), r"Relative effective rank $\Gamma(\Theta_\min)$"),
    (tuple(SYMBOLS), " and ".join(SYMBOLS.values())),
)

HEIGHT = 2.5  # inches, of a row of panels whose legends have six lines or fewer
LINE = 0.195  # inches, of a line of a legend


def collect(figure, shows, curves):
    """The content of the figure called ``figure``: panels row by row, each row one study.

    The effective rank is divided by its value at the smallest scale.
    """
    several = several_networks(curves)
    panels = []
    for study in dict.fromkeys(curve.study for curve in curves):
        own = [curve for curve in curves if curve.study == study]
        summaries = [curve.fit("power-laws") for curve in own]
        panels += [_panel(own, summaries, several, *column) for column in COLUMNS]
    fits = [_fit_record(panel["study"], s) for panel in panels for s in panel["series"] if s["fit"]]
    return {"figure": figure, "panels": panels, "fits": fits}


def _panel(curves, summaries, several, quantities, ylabel):
    """The panel of one study's ``curves``, with a series for each of ``quantities`` and each curve."""
    return {
        "title": f"{curves[0].study}: {ylabel}",
        "study": curves[0].study,
        "xlabel": curves[0].axis_label,
        "ylabel": ylabel,
        "series": [
            _series(curve, name_of(curve, several), summary[quantity], quantity)
            for quantity in quantities
            for curve, summary in zip(curves, summaries, strict=True)
        ],
    }


def _fit_record(study, series):
    fit = {key: value for key, value in series["fit"].items() if key not in ("text", "x", "y")}
    named = {key: series[key] for key in ("dataset", "network", "quantity")}
    return {"study": study, **named, **fit}


def _series(curve, name, summary, quantity):
    # As in the paper, the effective rank is shown relative to the smallest scale.
    mean = np.array(summary["mean"], dtype=float)
    unit = mean[0] if quantity == "effective_rank" else 1.0
    error = summary["error"] and np.array(summary["error"], dtype=float) / unit
    fit = _fit(summary, quantity, unit)
    return {
        "label": name + (f", {fit['text']}" if fit else ""),
        "name": name,
        "dataset": curve.dataset,
        "network": curve.network,
        "quantity": quantity,
        "x": summary["scale"],
        **band(mean / unit, error),
        "fit": fit,
    }


def _fit(summary, quantity, unit):
    """The law that a series' legend quotes, its parameters and its line; None where none fits.

    The test loss may need a limit that it falls to: its exponent is then that of the excess.
    """
    limited = summary["limited_power_law"] if quantity == "test_loss" else None
    if limited:
        law, kind = LimitedPowerLaw(**limited), "limited power law"
        text = rf"$\alpha={_rounded(law.exponent)}$, $\mathcal{{L}}_\infty={law.limit:.2f}$"
    elif summary["power_law"]:
        law, kind = PowerLaw(**summary["power_law"]), "power law"
        text = rf"$\alpha={_rounded(law.exponent)}$"
    else:
        return None
    x = np.geomspace(min(summary["scale"]), max(summary["scale"]), 100)
    return {
        "law": kind,
        **(limited or summary["power_law"]),
        "text": text,
        "x": x.tolist(),
        "y": (law(x) / unit).tolist(),
    }


def _rounded(exponent):
    """Two decimals, and no minus before a zero."""
    return f"{round(exponent, 2) + 0.0:.2f}"


def draw(content):
    """Draw one row for each study and one column for each quantity, with datasets as series.

    One legend above all panels names the datasets; each panel's own quotes the exponents.
    """
    panels = content["panels"]
    rows = list(dict.fromkeys(panel["study"] for panel in panels))
    look = look_of(dict.fromkeys(series["name"] for panel in panels for series in panel["series"]))
    height = max(HEIGHT, HEIGHT + LINE * (len(look) - 6))
    with plt.rc_context(RC):
        figure, grid = plt.subplots(
            len(rows), len(COLUMNS), figsize=(2.15 * COLUMN, height * len(rows) + 0.2), squeeze=False
        )
        for letter, axes, panel in zip(LETTERS, grid.flat, panels, strict=False):
            lines = [_draw_series(axes, series, look[series["name"]]) for series in panel["series"]]
            log_scales(axes)
            axes.set_xlabel(panel["xlabel"])
            axes.set_ylabel(panel["ylabel"])
            _quote_laws(axes, panel, lines, LINE / height)
            plain_ticks(axes.yaxis)
            label_panel(axes, letter)
        _name_datasets(figure, look)
    return figure


def _draw_series(axes, series, look):
    # Two quantities share a panel: the adaptation rate has empty markers.
    empty = series["quantity"] == "adaptation_rate"
    label = series["fit"]["text"] if series["fit"] else "no power law"
    return draw_points(axes, series, series["fit"], look, label, empty)


def _quote_laws(axes, panel, lines, line_height):
    """Draw the panel's legend, with room above the points for it: one column for each quantity.

    ``line_height`` is that of a legend's line, as a share of the axes' height.
    """
    quantities = dict.fromkeys(series["quantity"] for series in panel["series"])
    handles = []
    for quantity in quantities:
        if len(quantities) > 1:
            handles.append(Line2D([], [], linestyle="", label=SYMBOLS[quantity]))
        handles += [
            line
            for series, line in zip(panel["series"], lines, strict=True)
            if series["quantity"] == quantity
        ]
    filled = min(0.04 + line_height * len(handles) / len(quantities), 0.7)
    room_for_legend(axes, filled / (1 - filled))
    axes.legend(
        handles=handles, loc="upper right", handlelength=1.2, ncols=len(quantities), columnspacing=1.0
    )


def _name_datasets(figure, look):
    lines = [Line2D([], [], linestyle="", label=name, **look[name]) for name in look]
    columns = legend_columns(look, figure.get_figwidth(), most=4)
    figure.legend(handles=lines, loc="outside upper center", ncols=columns, columnspacing=2.0)
