"""Figure 9: what the transition of figure 3 consists of, one question a panel.

How much of it was there before training, and how much of it depends on the coordinates in which the network
is written? Layers, distances and ranks are shown of the first curve.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ntklens.analysis.ends import Ends, Values
from ntklens.data.registry import title
from ntklens.figures.content import FigureContent
from ntklens.figures.legends import clear_legends
from ntklens.figures.lines import (
    Drawn,
    PlainPanel,
    PlainSeries,
    colours_of,
    computed,
    draw_plain_panel,
    empty_grid,
    measured,
)
from ntklens.figures.measured import MeasuredCurve
from ntklens.figures.style import NARROW, RC, legend_columns, look_of
from ntklens.storage.quantities import DISTANCES, QUANTITIES

COLUMNS = 3
HEIGHT = 2.4  # inches, of a row of panels
DISTANCES_SHOWN = ("kernel_change", "kernel_cosine_distance", "parameter_change")


@dataclass(frozen=True)
class _Found:
    """What was found along one curve: the contents of its three files."""

    name: str
    laws: Mapping[str, Any]
    transition: Mapping[str, Any]
    ends: Ends

    @property
    def scale(self) -> list[int]:
        return self.ends["scale"]

    def of_laws(self, quantity: str, drawn: Drawn = "filled") -> PlainSeries:
        """A key quantity with its interval."""
        own = self.laws[quantity]
        values: Values = {"value": own["mean"], "low": own["low"], "high": own["high"]}
        return measured(self.name, self.name, own["scale"], values, drawn)

    def of_ends(self, part: str, quantity: str, label: str, drawn: Drawn = "filled") -> list[PlainSeries]:
        """A quantity of one of the ends or between them; nothing where it was not measured."""
        own: Any = self.ends[part].get(quantity)
        return [] if own is None else [measured(label, label, self.scale, own, drawn)]


def collect(figure: str, shows: Sequence[str], curves: Sequence[MeasuredCurve]) -> FigureContent[PlainPanel]:
    """Collect the content of ``figure``, without the panels for which nothing was measured."""
    found = [_found(curve, of_first_study=curve.study == curves[0].study) for curve in curves]
    first, width = found[0], curves[0].axis_label
    trace = QUANTITIES["initial_trace"].axis_label
    gain = r"$\mathrm{Tr}\,\Theta_\min-\mathrm{Tr}\,\Theta_0$"
    beta, rank = QUANTITIES["trace_ratio"].axis_label, r"Effective rank $\Gamma(\Theta_\min)$"
    loss, both_ranks = (QUANTITIES[name].axis_label for name in ("test_loss", "effective_rank"))
    panels = [
        _panel("a", "Trace gained in training", width, gain, [own.of_laws("trace_gain") for own in found]),
        _panel("b", "Initial trace, closed form", width, trace, _initial_traces(found)),
        _panel("c", "β without a fit", r"$m\,/\,m^*$", r"$\beta\,/\,\beta_0$", _collapsed(found)),
        _panel("d", f"β of each layer, {first.name}", width, r"$\beta_l$", _layers(first)),
        _panel("e", "β as if in NTK parametrisation", width, beta, _weighted(found, "trace_ratio")),
        _panel("f", "Γ as if in NTK parametrisation", width, rank, _weighted(found, "effective_rank")),
        _panel(
            "g", f"Distance from the start, {first.name}", width, "relative to the start", _distances(first)
        ),
        _panel("h", f"Linearised test loss, {first.name}", width, loss, _losses(first)),
        _panel("i", f"Γ before and after, {first.name}", width, both_ranks, _ranks(first)),
    ]
    return {"figure": figure, "panels": [panel for panel in panels if panel["series"]], "fits": []}


def _found(curve: MeasuredCurve, of_first_study: bool) -> _Found:
    study = "" if of_first_study else f"{curve.heading}, "
    name = f"{study}{title(curve.dataset)}, {curve.network}"
    return _Found(name, curve.fit("power-laws"), curve.fit("transition"), curve.fit("ends"))


def _panel(letter: str, heading: str, xlabel: str, ylabel: str, series: list[PlainSeries]) -> PlainPanel:
    return {
        "letter": letter,
        "title": heading,
        "heading": heading,
        "xlabel": xlabel,
        "ylabel": ylabel,
        "yscale": "log",
        "series": series,
    }


def _initial_traces(found: Sequence[_Found]) -> list[PlainSeries]:
    """Tr Θ₀ of every curve, and its expectation in closed form where there is one."""
    expected: list[PlainSeries] = [
        {
            **computed("", own.name, own.scale, own.transition["expectation"]["initial_trace"]),
            "full_name": f"{own.name}, closed form",
        }
        for own in found
        if own.transition["expectation"]
    ]
    return [own.of_laws("initial_trace", "empty") for own in found] + expected


def _collapsed(found: Sequence[_Found]) -> list[PlainSeries]:
    """β/β₀ against m/m*, with β₀ the pooled gain over E[Tr Θ₀] at m = 0, beside 1/(1 + m/m*)."""
    series: list[PlainSeries] = []
    every: list[float] = []
    for own in found:
        expectation, prediction = own.transition["expectation"], own.transition["prediction"]
        if not (expectation and prediction):
            continue
        x = np.array(own.scale) / expectation["bend"]
        # The prediction is β₀ / (1 + x), so its first value gives β₀.
        unit = prediction["trace_ratio"][0] * (1 + x[0])
        beta = own.laws["trace_ratio"]
        ratio: Values = {
            "value": _over(beta["mean"], unit),
            "low": _over(beta["low"], unit),
            "high": _over(beta["high"], unit),
        }
        series.append(measured(own.name, own.name, x.tolist(), ratio))
        every += x.tolist()
    if every:
        x = np.geomspace(min(every), max(every), 100)
        series.append(computed(r"$1/(1+m/m^*)$", "law", x.tolist(), (1 / (1 + x)).tolist()))
    return series


def _over(values: Sequence[float | None], unit: float) -> list[float | None]:
    return [None if value is None else value / unit for value in values]


def _layers(found: _Found) -> list[PlainSeries]:
    """β of each layer alone."""
    own: Any = found.ends["between"].get("layer_trace_ratio", [])
    names = [f"layer {number}" for number in range(1, len(own) + 1)]
    return [measured(name, name, found.scale, values) for name, values in zip(names, own, strict=True)]


def _weighted(found: Sequence[_Found], quantity: str) -> list[PlainSeries]:
    """``quantity`` at the minimum as measured (empty), and of the NTK with layers weighted (filled)."""
    series: list[PlainSeries] = []
    for own in found:
        if quantity == "trace_ratio":
            weighted = own.of_ends("between", "weighted_trace_ratio", own.name)
        else:
            weighted = own.of_ends("minimum", "weighted_effective_rank", own.name)
        measured_own = own.of_laws(quantity, "empty")
        measured_own["label"] = ""  # the filled markers of the same colour have the label
        measured_own["full_name"] = f"{own.name}, as measured"
        for one in weighted:
            one["full_name"] = f"{own.name}, layers weighted"
        series += [measured_own, *weighted] if weighted else []
    return series


def _distances(found: _Found) -> list[PlainSeries]:
    """How far the minimum lies from the initialisation."""
    return [
        series
        for name in DISTANCES_SHOWN
        for series in found.of_ends("between", name, f"${DISTANCES[name].symbol}$")
    ]


def _losses(found: _Found) -> list[PlainSeries]:
    """The test loss at the minimum, and that of the network linearised at its initialisation."""
    own = found.of_laws("test_loss")
    own["label"] = own["colour"] = "network"
    linearised = found.of_ends("between", "linearised_test_loss", "linearised at the start", "empty")
    return [own, *linearised]


def _ranks(found: _Found) -> list[PlainSeries]:
    """Γ at initialisation and at the minimum, and Γ_∞ of infinite width on the same samples."""
    series = [
        *found.of_ends("minimum", "effective_rank", r"at the minimum"),
        *found.of_ends("initial", "effective_rank", r"at initialisation", "empty"),
    ]
    infinite = found.transition["infinite_effective_rank"]
    if infinite is not None:
        series.append(computed(r"$\Gamma_\infty$", "infinite", found.scale, [infinite] * len(found.scale)))
    return series


def draw(content: FigureContent[PlainPanel]) -> Figure:
    """Draw the panels row by row, with one legend of the curves below them."""
    panels = content["panels"]
    rows = -(-len(panels) // COLUMNS)
    looks = look_of(colours_of(panels))
    curves = list(dict.fromkeys(series["colour"] for series in panels[0]["series"]))
    with plt.rc_context(RC):
        figure = plt.figure(figsize=(NARROW * COLUMNS, HEIGHT * rows))
        grid = empty_grid(figure, rows, COLUMNS)
        for axes, panel in zip(grid.flat, panels, strict=False):
            axes.set_visible(True)
            draw_plain_panel(axes, panel, looks, NARROW, explained=curves)
        handles = [Line2D([], [], label=name, **looks[name]) for name in curves]
        columns = legend_columns(curves, NARROW * COLUMNS)
        figure.legend(handles=handles, loc="outside lower center", ncols=columns)
        clear_legends(figure)
    return figure
