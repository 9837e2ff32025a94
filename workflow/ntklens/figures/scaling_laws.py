"""Figure 2: how test loss, effective rank, initial trace and adaptation rate scale."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D

from ntklens.analysis.laws import LimitedPowerLaw, PowerLaw
from ntklens.data.registry import title
from ntklens.figures.style import (
    COLUMN,
    LETTERS,
    RC,
    band,
    dataset_look,
    draw_points,
    label_panel,
    plain_ticks,
    room_for_legend,
)
from ntklens.storage.files import read_json

ROWS = {"model-scaling": "Model width m", "data-scaling": "Dataset size D"}
SYMBOLS = {
    "initial_trace": r"$\mathrm{Tr}(\Theta_0)$",
    "adaptation_rate": r"$-\chi(\Theta_\min)$",
}
COLUMNS = (
    (("test_loss",), r"Test loss at minimum $\mathcal{L}$"),
    (("effective_rank",), r"Relative effective rank $\Gamma(\Theta_\min)$"),
    (("initial_trace", "adaptation_rate"), r"$\mathrm{Tr}(\Theta_0)$ and $-\chi(\Theta_\min)$"),
)

LINE = 0.078  # of the axes' height, a line of a legend


def collect(curves):
    """The content of figure 2. ``curves``: study -> dataset -> power-laws file.

    The effective rank is divided by its value at the smallest scale.
    """
    panels, fits = [], []
    for study, files in curves.items():
        summaries = {dataset: read_json(path) for dataset, path in files.items()}
        for quantities, ylabel in COLUMNS:
            series = [
                _series(summary[quantity], dataset, quantity)
                for quantity in quantities
                for dataset, summary in summaries.items()
            ]
            panels.append(
                {
                    "title": f"{study}: {ylabel}",
                    "study": study,
                    "xlabel": ROWS[study],
                    "ylabel": ylabel,
                    "series": series,
                }
            )
            fits += [_fit_record(study, s) for s in series if s["fit"]]
    return {"figure": "2", "panels": panels, "fits": fits}


def _fit_record(study, series):
    fit = {key: value for key, value in series["fit"].items() if key not in ("text", "x", "y")}
    return {"study": study, "dataset": series["dataset"], "quantity": series["quantity"], **fit}


def _series(summary, dataset, quantity):
    # As in the paper, the effective rank is shown relative to the smallest scale.
    unit = summary["mean"][0] if quantity == "effective_rank" else 1.0
    error = summary["error"] and np.array(summary["error"]) / unit
    fit = _fit(summary, quantity, unit)
    return {
        "label": title(dataset) + (f", {fit['text']}" if fit else ""),
        "dataset": dataset,
        "quantity": quantity,
        "x": summary["scale"],
        **band(np.array(summary["mean"]) / unit, error),
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
    """Draw the content of figure 2: a row a study, a column a quantity, datasets as series.

    One legend above all panels names the datasets; each panel's own quotes the exponents.
    """
    panels = content["panels"]
    rows = list(dict.fromkeys(panel["study"] for panel in panels))
    look = dataset_look(dict.fromkeys(s["dataset"] for panel in panels for s in panel["series"]))
    with plt.rc_context(RC):
        figure, grid = plt.subplots(
            len(rows), len(COLUMNS), figsize=(2.15 * COLUMN, 2.5 * len(rows) + 0.2), squeeze=False
        )
        for letter, axes, panel in zip(LETTERS, grid.flat, panels, strict=False):
            lines = [_draw_series(axes, series, look[series["dataset"]]) for series in panel["series"]]
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xlabel(panel["xlabel"])
            axes.set_ylabel(panel["ylabel"])
            _quote_laws(axes, panel, lines)
            plain_ticks(axes.yaxis)
            label_panel(axes, letter)
        _name_datasets(figure, look)
    return figure


def _draw_series(axes, series, look):
    # Two quantities share a panel: the adaptation rate has empty markers.
    empty = series["quantity"] == "adaptation_rate"
    label = series["fit"]["text"] if series["fit"] else "no power law"
    return draw_points(axes, series, series["fit"], look, label, empty)


def _quote_laws(axes, panel, lines):
    """The panel's legend, and room above the points for it: where quantities share it, a column each."""
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
    filled = min(0.04 + LINE * len(handles) / len(quantities), 0.7)
    room_for_legend(axes, filled / (1 - filled))
    axes.legend(
        handles=handles, loc="upper right", handlelength=1.2, ncols=len(quantities), columnspacing=1.0
    )


def _name_datasets(figure, look):
    lines = [Line2D([], [], linestyle="", label=title(name), **look[name]) for name in look]
    figure.legend(handles=lines, loc="outside upper center", ncols=min(len(lines), 4), columnspacing=2.0)
