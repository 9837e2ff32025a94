"""Test loss, effective rank, initial trace and adaptation rate against scale: figure 2, and own studies."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict, cast

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ntklens.analysis.intervals import Interval
from ntklens.analysis.laws import PowerLaw
from ntklens.analysis.records import Expectation, Laws
from ntklens.figures.content import FigureContent, Fit, Line, Panel, Series
from ntklens.figures.fitted import bent_law, quoted, two_decimals
from ntklens.figures.legends import clear_legends
from ntklens.figures.measured import MeasuredCurve, name_of, several_networks
from ntklens.figures.style import (
    LETTERS,
    PAGE,
    RC,
    Look,
    band,
    draw_points,
    label_panel,
    legend_columns,
    log_scales,
    look_of,
)
from ntklens.figures.ticks import plain_ticks, scale_ticks
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
LIMIT = r"$\mathcal{L}_\infty=$"
LINE = 0.195  # inches, of a line of a legend


class Law(TypedDict):
    """A fitted law: ``law`` is "power law" or the form of a bent law.

    ``exponent`` is that of a power law in its ``window``: of all scales or, where a power law is rejected, of
    the last octaves. A limited law's is that of the excess over its ``limit``. ``p_value`` is that of a power
    law, None where it could not be tested.
    """

    law: str
    exponent: Interval
    window: list[int]
    p_value: float | None
    limit: NotRequired[Interval]


class DrawnLaw(Law, Line):
    """A law with the line that is drawn, and the text that the legend quotes."""

    text: str


class LawFit(Fit, Law):
    """A fitted law, with the curve that it was fitted to."""

    study: str


class LawSeries(Series):
    """One quantity along one curve. ``fit`` is None where no law fits.

    ``closed_form`` is the expectation of Tr Θ₀, None for other quantities and networks.
    """

    name: str
    dataset: str
    network: str
    quantity: str
    fit: DrawnLaw | None
    closed_form: Line | None


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
        summaries: list[Mapping[str, Any]] = [curve.fit("power-laws") for curve in own]
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
    summaries: Sequence[Mapping[str, Any]],
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
            _series(curve, name_of(curve, several), summary, quantity)
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


def _series(curve: MeasuredCurve, name: str, summary: Mapping[str, Any], quantity: str) -> LawSeries:
    # As in the paper, the effective rank is shown relative to its value at the smallest scale.
    laws: Laws = summary[quantity]
    mean, error = (np.array(laws[key], dtype=float) for key in ("mean", "error"))
    unit = float(mean[0]) if quantity == "effective_rank" else 1.0
    fit = _fit(laws, quantity, unit)
    return {
        "label": name + (f", {fit['text']}" if fit else ""),
        "name": name,
        "dataset": curve.dataset,
        "network": curve.network,
        "quantity": quantity,
        "x": laws["scale"],
        **band(mean / unit, error / unit),
        "fit": fit,
        "closed_form": _closed_form(laws, summary["expectation"]) if quantity == "initial_trace" else None,
    }


def _closed_form(laws: Laws, expectation: Expectation | None) -> Line | None:
    if expectation is None:
        return None
    return {"x": [float(scale) for scale in laws["scale"]], "y": expectation["initial_trace"]}


def _fit(laws: Laws, quantity: str, unit: float) -> DrawnLaw | None:
    """The law that the legend quotes, with its parameters and its line, in units of ``unit``.

    None where no law fits. Where a power law is rejected, no straight line is drawn: the line is the bent
    law's, and the exponent that of the last octaves, or of the test loss's excess over its limit.
    """
    plain, choice = laws["power_law"], laws["choice"]
    if plain is None:
        return None
    x = np.geomspace(min(laws["scale"]), max(laws["scale"]), 100)
    if choice and choice["power_law_rejected"]:
        return _curved(laws, quantity == "test_loss", x, unit)
    value = plain["exponent"]["value"]
    straight = PowerLaw(plain["amplitude"], np.nan if value is None else value)
    return {
        "law": "power law",
        "exponent": plain["exponent"],
        "window": plain["window"],
        "p_value": choice["p_value"] if choice else None,
        "text": quoted(plain["exponent"], plain["window"]),
        "x": x.tolist(),
        "y": np.asarray(straight(x) / unit).tolist(),
    }


def _curved(laws: Laws, with_limit: bool, x: Float[np.ndarray, " line"], unit: float) -> DrawnLaw | None:
    """The bent law with its line, which is empty where one of its parameters is censored."""
    bent, last, choice = laws["bent_law"], laws["last_octaves"], laws["choice"]
    if bent is None or last is None or choice is None:
        return None
    law = bent_law(bent)
    drawn: DrawnLaw = {
        "law": bent["form"],
        "exponent": last["exponent"],
        "window": last["window"],
        "p_value": choice["p_value"],
        "text": quoted(last["exponent"], last["window"]),
        "x": x.tolist() if law else [],
        "y": np.asarray(law(x) / unit).tolist() if law else [],
    }
    if not (with_limit and bent["power"]):
        return drawn
    exponent, limit = _negated(bent["power"]), bent["level"]
    text = f"{quoted(exponent, bent['window'])}, {LIMIT}{two_decimals(limit['value'])}"
    return {**drawn, "exponent": exponent, "window": bent["window"], "limit": limit, "text": text}


def _negated(own: Interval) -> Interval:
    value, low, high = (None if end is None else -end for end in (own["value"], own["low"], own["high"]))
    return {
        "value": value,
        "low": high,
        "high": low,
        "low_open": own["high_open"],
        "high_open": own["low_open"],
        "below": own["above"],
        "above": own["below"],
        "failed": own["failed"],
    }


def draw(content: FigureContent[LawPanel]) -> Figure:
    """Draw one row for each study and one column for each entry of `COLUMNS`, with datasets as series.

    One legend above all panels names the datasets; the legend in each panel quotes the exponents with their
    intervals and windows. Dotted lines are closed forms.
    """
    panels = content["panels"]
    rows = list(dict.fromkeys(panel["study"] for panel in panels))
    look = look_of(dict.fromkeys(series["name"] for panel in panels for series in panel["series"]))
    lines_of_legend = max(_lines_of_legend(panel) for panel in panels)
    height = max(HEIGHT, HEIGHT + LINE * (lines_of_legend - 6))
    with plt.rc_context(RC):
        figure, grid = plt.subplots(
            len(rows), len(COLUMNS), figsize=(PAGE, height * len(rows) + 0.2), squeeze=False
        )
        for letter, axes, panel in zip(LETTERS, grid.flat, panels, strict=False):
            lines = [_draw_series(axes, series, look[series["name"]]) for series in panel["series"]]
            log_scales(axes)
            axes.set_xlabel(panel["xlabel"])
            axes.set_ylabel(panel["ylabel"])
            scale_ticks(axes.xaxis, [series["x"] for series in panel["series"]])
            plain_ticks(axes.yaxis)
            _quote_laws(axes, panel, lines)
            label_panel(axes, letter)
        _name_datasets(figure, look)
        clear_legends(figure)
    return figure


def _draw_series(axes: Axes, series: LawSeries, look: Look) -> Line2D:
    # The initial trace and the adaptation rate share a panel: empty markers tell the latter apart.
    empty = series["quantity"] == "adaptation_rate"
    if series["closed_form"]:
        line = series["closed_form"]
        axes.plot(line["x"], line["y"], ":", color=look["color"], linewidth=1.0)
    return draw_points(axes, series, series["fit"], look, _quoted_in_legend(series), empty)


def _quoted_in_legend(series: LawSeries) -> str:
    """What the legend says of a series. A limit has a line of its own, or the legend would be too wide."""
    text = series["fit"]["text"] if series["fit"] else "no power law"
    return text.replace(f", {LIMIT}", f",\n{LIMIT}")


def _lines_of_legend(panel: LawPanel) -> int:
    """The number of lines of the panel's legend, which names quantities if the panel shows several."""
    quantities = {series["quantity"] for series in panel["series"]}
    headings = len(quantities) if len(quantities) > 1 else 0
    return headings + sum(1 + _quoted_in_legend(series).count("\n") for series in panel["series"])


def _quote_laws(axes: Axes, panel: LawPanel, lines: Sequence[Line2D]) -> None:
    """Draw the panel's legend, with the quantities one below the other."""
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
    axes.legend(handles=handles, loc="upper right", handlelength=1.0, fontsize=6)


def _name_datasets(figure: Figure, look: Mapping[str, Look]) -> None:
    lines = [Line2D([], [], linestyle="", label=name, **look[name]) for name in look]
    columns = legend_columns(look, figure.get_figwidth(), most=4)
    figure.legend(handles=lines, loc="outside upper center", ncols=columns, columnspacing=2.0)
