"""Test loss, effective rank, initial trace and adaptation rate against scale: figure 2, and own studies."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict, cast

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ntklens.analysis.laws import LimitedPowerLaw, PowerLaw
from ntklens.figures.content import FigureContent, Fit, Line, Panel, Series
from ntklens.figures.measured import MeasuredCurve, name_of, several_networks
from ntklens.figures.style import (
    COLUMN,
    LETTERS,
    RC,
    Look,
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
    # The value at the minimum: the symbol in the table of quantities doesn't say so.
    "adaptation_rate": r"$-\chi(\Theta_\min)$",
}
# Quantities of each column's panels, and the label of their axis.
COLUMNS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("test_loss",), f"{QUANTITIES['test_loss'].label} at minimum ${QUANTITIES['test_loss'].symbol}$"),
    (("effective_rank",), r"Relative effective rank $\Gamma(\Theta_\min)$"),
    (tuple(SYMBOLS), " and ".join(SYMBOLS.values())),
)

HEIGHT = 2.5  # inches, of a row of panels whose legends have six lines or fewer
LINE = 0.195  # inches, of a line of a legend


class PowerLawFields(TypedDict):
    """The fields of a `PowerLaw`."""

    amplitude: float
    exponent: float
    exponent_error: float | None


class LimitedPowerLawFields(TypedDict):
    """The fields of a `LimitedPowerLaw`."""

    limit: float
    amplitude: float
    exponent: float
    limit_error: float
    exponent_error: float


class Summary(TypedDict):
    """A quantity along one curve and the laws fitted to it, from workflow/scripts/power_laws.py."""

    scale: list[int]
    mean: list[float | None]
    error: list[float | None] | None
    power_law: PowerLawFields | None
    limited_power_law: LimitedPowerLawFields | None


class Law(TypedDict):
    """A fitted law and its parameters. It has a limit if it is a `LimitedPowerLaw`."""

    law: str
    amplitude: float
    exponent: float
    exponent_error: float | None
    limit: NotRequired[float]
    limit_error: NotRequired[float]


class DrawnLaw(Law, Line):
    """A law with the line that is drawn, and the text that the legend quotes."""

    text: str


class LawFit(Fit, Law):
    """A fitted law, with the curve that it was fitted to."""

    study: str


class LawSeries(Series):
    """One quantity along one curve. ``fit`` is None where no law fits."""

    name: str
    dataset: str
    network: str
    quantity: str
    fit: DrawnLaw | None


class LawPanel(Panel[LawSeries]):
    """One or two quantities of all curves of a study."""

    study: str


def collect(figure: str, shows: Sequence[str], curves: Sequence[MeasuredCurve]) -> FigureContent[LawPanel]:
    """Collect the content of ``figure``: panels row by row, each row one study.

    The effective rank is divided by its value at the smallest scale.
    """
    several = several_networks(curves)
    panels: list[LawPanel] = []
    for study in dict.fromkeys(curve.study for curve in curves):
        own = [curve for curve in curves if curve.study == study]
        summaries = [curve.fit("power-laws") for curve in own]
        panels += [_panel(own, summaries, several, *column) for column in COLUMNS]
    fits = [
        _fit_record(panel["study"], series, series["fit"])
        for panel in panels
        for series in panel["series"]
        if series["fit"]
    ]
    return {"figure": figure, "panels": panels, "fits": fits}


def _panel(
    curves: Sequence[MeasuredCurve],
    summaries: Sequence[Mapping[str, Summary]],
    several: bool,
    quantities: Sequence[str],
    ylabel: str,
) -> LawPanel:
    """The panel of one study's ``curves``, with a series for each quantity and curve.

    ``several`` says that a study has several networks on a dataset, so that names include the network.
    """
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


def _fit_record(study: str, series: LawSeries, drawn: DrawnLaw) -> LawFit:
    named = {
        "study": study,
        "dataset": series["dataset"],
        "network": series["network"],
        "quantity": series["quantity"],
    }
    law = {key: value for key, value in drawn.items() if key not in ("text", "x", "y")}
    return cast(LawFit, {**named, **law})  # a TypedDict's items are typed as object


def _series(curve: MeasuredCurve, name: str, summary: Summary, quantity: str) -> LawSeries:
    # As in the paper, the effective rank is shown relative to its value at the smallest scale.
    mean = np.array(summary["mean"], dtype=float)
    unit = float(mean[0]) if quantity == "effective_rank" else 1.0
    error = np.array(summary["error"], dtype=float) / unit if summary["error"] else None
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


def _fit(summary: Summary, quantity: str, unit: float) -> DrawnLaw | None:
    """The law that the legend quotes, with its parameters and its line, in units of ``unit``.

    None where no law fits. The test loss may need a limit that it approaches: the exponent is then that of
    its excess over the limit.
    """
    limited = summary["limited_power_law"] if quantity == "test_loss" else None
    plain = summary["power_law"]
    if limited:
        law = LimitedPowerLaw(**limited)
        recorded: Law = {"law": "limited power law", **limited}
        text = rf"$\alpha={_rounded(law.exponent)}$, $\mathcal{{L}}_\infty={law.limit:.2f}$"
    elif plain:
        law = PowerLaw(**plain)
        recorded = {"law": "power law", **plain}
        text = rf"$\alpha={_rounded(law.exponent)}$"
    else:
        return None
    x = np.geomspace(min(summary["scale"]), max(summary["scale"]), 100)
    return {
        **recorded,
        "text": text,
        "x": x.tolist(),
        "y": (np.asarray(law(x)) / unit).tolist(),
    }


def _rounded(exponent: float) -> str:
    """``exponent`` with two decimals, and without the minus of a negative zero."""
    return f"{round(exponent, 2) + 0.0:.2f}"


def draw(content: FigureContent[LawPanel]) -> Figure:
    """Draw one row for each study and one column for each entry of `COLUMNS`, with datasets as series.

    One legend above all panels names the datasets; the legend in each panel quotes the exponents.
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


def _draw_series(axes: Axes, series: LawSeries, look: Look) -> Line2D:
    # The initial trace and the adaptation rate share a panel: empty markers tell the latter apart.
    empty = series["quantity"] == "adaptation_rate"
    label = series["fit"]["text"] if series["fit"] else "no power law"
    return draw_points(axes, series, series["fit"], look, label, empty)


def _quote_laws(axes: Axes, panel: LawPanel, lines: Sequence[Line2D], line_height: float) -> None:
    """Draw the panel's legend above its points, with one column for each quantity.

    ``line_height`` is the height of one line of the legend, as a share of the axes' height.
    """
    quantities = dict.fromkeys(series["quantity"] for series in panel["series"])
    handles: list[Line2D] = []
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


def _name_datasets(figure: Figure, look: Mapping[str, Look]) -> None:
    lines = [Line2D([], [], linestyle="", label=name, **look[name]) for name in look]
    columns = legend_columns(look, figure.get_figwidth(), most=4)
    figure.legend(handles=lines, loc="outside upper center", ncols=columns, columnspacing=2.0)
