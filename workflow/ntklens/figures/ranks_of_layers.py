"""Figure 10: what feature learning does to ranks (App. B.2.1), and the factors of the loss's gradient.

The first row shows the ranks of each layer's two factors of the NTK and the layer's share of its trace, at
initialisation (dashed) and at the minimum (solid). The other rows show the factors of ‖∇L‖² = χ_loss · χ_net
· position (arXiv 2605.31244) on the NTK's samples: along training, and at both ends against the scale.
"""

from collections.abc import Sequence
from typing import Any, Literal, cast

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ntklens.analysis.ends import Ends, Values
from ntklens.figures.along_training import (
    draw_lines,
    panels_of,
    scale_bar,
    scales,
    show_fall,
)
from ntklens.figures.content import FigureContent
from ntklens.figures.legends import clear_legends
from ntklens.figures.lines import (
    Drawn,
    PlainPanel,
    PlainSeries,
    colours_of,
    draw_plain_panel,
    empty_grid,
    measured,
)
from ntklens.figures.measured import MeasuredCurve, name_of
from ntklens.figures.style import NARROW, RC, label_panel, look_of, name_panel, scale_colours
from ntklens.storage.quantities import QUANTITIES

OF_LAYERS = {  # name in ends.json: heading, label of the axis
    "conjugate_ranks": ("Rank of the features", QUANTITIES["conjugate_ranks"].axis_label),
    "sensitivity_ranks": ("Rank of the sensitivity", QUANTITIES["sensitivity_ranks"].axis_label),
    "trace_share": ("Share of the trace", r"$\mathrm{Tr}(\Theta_l)\,/\,\mathrm{Tr}(\Theta)$"),
}
FACTORS = {  # in the order of the product: heading
    "loss_susceptibility": "Loss susceptibility",
    "ntk_trace": "Network susceptibility",
    "spectral_position": "Spectral position",
}
PARTS: dict[Literal["initial", "minimum"], Drawn] = {"initial": "empty", "minimum": "filled"}
PART_NAMES = {"initial": "at initialisation", "minimum": "at the minimum"}
HEIGHT = 2.4  # inches, of a row of panels


def collect(figure: str, shows: Sequence[str], curves: Sequence[MeasuredCurve]) -> FigureContent[Any]:
    """Collect the content of ``figure`` for the first of ``curves``: three rows of panels, by ``row``."""
    curve = curves[0]
    ends: Ends = curve.fit("ends")
    layers = [
        _layer_panel(curve, ends, letter, name)
        for letter, name in zip("abc", OF_LAYERS, strict=True)
        if name in ends["initial"]
    ]
    training = [
        {**own, "letter": letter, "heading": FACTORS[own["quantity"]]}
        for letter, own in zip("def", panels_of(curve, FACTORS), strict=True)
    ]
    at_ends = [_ends_panel(curve, ends, letter, name) for letter, name in zip("ghi", FACTORS, strict=True)]
    rows = {"layers": layers, "training": training, "ends": at_ends}
    panels = [{**panel, "row": row} for row, own in rows.items() for panel in own]
    return {"figure": figure, "panels": panels, "fits": []}


def _layer_panel(curve: MeasuredCurve, ends: Ends, letter: str, name: str) -> PlainPanel:
    """One quantity of every layer at both ends."""
    heading, ylabel = OF_LAYERS[name]
    series: list[PlainSeries] = []
    for part, drawn in PARTS.items():
        for number, own in enumerate(cast(list[Values], ends[part][name]), 1):
            layer = f"layer {number}"
            label = layer if part == "minimum" else ""
            full_name = f"{layer}, {PART_NAMES[part]}"
            series.append({**measured(label, layer, ends["scale"], own, drawn), "full_name": full_name})
    return _panel(curve, letter, heading, ylabel, series, "linear" if name == "trace_share" else "log")


def _ends_panel(curve: MeasuredCurve, ends: Ends, letter: str, name: str) -> PlainPanel:
    """One factor of the loss's gradient at both ends."""
    series = [
        measured(PART_NAMES[part], PART_NAMES[part], ends["scale"], cast(Values, ends[part][name]), drawn)
        for part, drawn in PARTS.items()
    ]
    return _panel(curve, letter, f"{FACTORS[name]}, both ends", f"${QUANTITIES[name].symbol}$", series, "log")


def _panel(
    curve: MeasuredCurve,
    letter: str,
    heading: str,
    ylabel: str,
    series: list[PlainSeries],
    yscale: Literal["linear", "log"],
) -> PlainPanel:
    return {
        "letter": letter,
        "title": f"{curve.heading}, {name_of(curve, with_network=True)}: {heading}",
        "heading": heading,
        "xlabel": curve.axis_label,
        "ylabel": ylabel,
        "yscale": yscale,
        "series": series,
    }


def draw(content: FigureContent[Any]) -> Figure:
    """Draw a row of panels for each ``row``, with a colour bar below the panels along training."""
    panels: list[Any] = content["panels"]
    rows = list(dict.fromkeys(panel["row"] for panel in panels))
    looks = look_of(colours_of([panel for panel in panels if panel["row"] != "training"]))
    with plt.rc_context(RC):
        figure = plt.figure(figsize=(NARROW * len(FACTORS), HEIGHT * len(rows) + 0.4))
        grid = empty_grid(figure, len(rows), len(FACTORS))
        for panel in panels:
            row = rows.index(panel["row"])
            place = [own for own in panels if own["row"] == panel["row"]].index(panel)
            axes = grid[row, place]
            axes.set_visible(True)
            if panel["row"] == "training":
                _draw_training(axes, panel)
            else:
                draw_plain_panel(axes, panel, looks, NARROW)
        training = [panel for panel in panels if panel["row"] == "training"]
        scale_bar(
            figure, grid[[rows.index("training")]], training[0]["scale_label"], scales(training), "bottom"
        )
        clear_legends(figure)
    return figure


def _draw_training(axes: Axes, panel: Any) -> None:
    """Draw one factor along training, from left to right."""
    draw_lines(axes, panel, scale_colours(scales([panel]))[0])
    show_fall(axes, panel["xlabel"])
    label_panel(axes, panel["letter"])
    name_panel(axes, panel["heading"], NARROW)
