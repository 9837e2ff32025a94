"""Quantities of the NTK along training, against the train loss: what figures 1, 5, 6 and 8 share.

A panel shows one quantity along one curve, with one line for each scale. Lines run from the initial state to
the minimum of the mean test loss, at equal epochs; their x is exp⟨log train loss⟩ (§4.1). A quantity may have
several *forms*, readings of one formula of the paper: the panel holds them all, and ``drawn`` says which of
them the figure shows.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ntklens.data.registry import title
from ntklens.figures.style import band, draw_band, numbers, plain_ticks, scale_colours, spread_ticks
from ntklens.storage.quantities import QUANTITIES

TRAIN_LOSS = "Train loss"
LINE_STYLES = ("-", "--", ":")  # of the forms that a panel draws


class Form(NamedTuple):
    """One reading of a quantity: its line from an `Average` and a rate. A name where there are several."""

    line: Callable
    name: str | None = None
    drawn: bool = True


class Shown(NamedTuple):
    """A quantity that panels can show: what it is called in titles and on the axis."""

    words: str
    ylabel: str
    forms: tuple[Form, ...]


def _averaged(name):
    """The line of the mean ``name`` with its standard error."""

    def line(average, _):
        shown = average.along[name].until(average.minimum_epoch)
        x = np.exp(average.at_epochs("log_train_loss", shown.epoch))
        return {"x": numbers(x), **band(shown.mean, shown.error)}

    return line


def _adaptation_rate(average, rate):
    """−χ: the trace grows while the loss falls, so χ is negative. It has no error (App. B.4)."""
    shown = np.array(rate["epoch"]) <= average.minimum_epoch
    return {
        "x": numbers(np.array(rate["train_loss"])[shown]),
        **band(-np.array(rate["adaptation_rate"])[shown], None),
    }


SHOWN = {
    "ntk_trace": Shown("trace", QUANTITIES["ntk_trace"].axis_label, (Form(_averaged("ntk_trace")),)),
    "adaptation_rate": Shown(
        "adaptation rate", QUANTITIES["adaptation_rate"].axis_label, (Form(_adaptation_rate),)
    ),
    "effective_rank": Shown(
        "effective rank", QUANTITIES["effective_rank"].axis_label, (Form(_averaged("effective_rank")),)
    ),
    "label_alignment": Shown(
        "label alignment",
        "Label alignment",
        (
            Form(_averaged("label_alignment"), "all outputs"),
            Form(_averaged("summed_label_alignment"), "summed over outputs", drawn=False),
        ),
    ),
    "misalignment": Shown(
        "misalignment",
        "NTK misalignment",
        (
            Form(_averaged("misalignment_sign_matched"), "sign-matched"),
            Form(_averaged("misalignment_basis_free"), "basis-free"),
            # As printed, Eq. 17 depends on the signs that the eigensolver happens to give.
            Form(_averaged("misalignment_as_printed"), "as printed", drawn=False),
        ),
    ),
}


def panels_of(curve, shows):
    """The panels of one `MeasuredCurve`, one for each quantity that the figure ``shows``."""
    averages = curve.averages()
    rates = [None] * len(averages)
    if "adaptation-rate" in curve.files:
        rates = curve.fit("adaptation-rate")["points"]
    points = list(zip(averages, rates, strict=True))
    return [_panel(curve, quantity, points) for quantity in shows]


def _panel(curve, quantity, points):
    """The panel of one ``quantity``, with a series for each form and scale."""
    words, ylabel, forms = SHOWN[quantity]
    heading = f"{curve.heading}, {title(curve.dataset)}"
    return {
        "title": f"{heading}: {words}",
        "heading": heading,
        "study": curve.study,
        "dataset": curve.dataset,
        "network": curve.network,
        "quantity": quantity,
        "xlabel": TRAIN_LOSS,
        "ylabel": ylabel,
        "scale_label": curve.label,
        "series": [_series(curve, form, *point) for form in forms for point in points],
    }


def _series(curve, form, average, rate):
    label = curve.point_label(average.scale)
    named = {"form": form.name, "drawn": form.drawn} if form.name else {}
    return {
        "label": f"{label}, {form.name}" if form.name else label,
        "scale": average.scale,
        **named,
        **form.line(average, rate),
    }


def scales(panels):
    """Every scale that ``panels`` show, ascending."""
    return sorted({series["scale"] for panel in panels for series in panel["series"]})


def form_styles(panel):
    """Drawn form -> line style, in the order of the panel's series."""
    forms = dict.fromkeys(s["form"] for s in panel["series"] if s.get("drawn"))
    return dict(zip(forms, LINE_STYLES, strict=False))


def draw_lines(axes, panel, colour):
    """Draw the panel's lines, one colour for each scale. Its figure turns the train loss's axis round."""
    styles = form_styles(panel)
    for series in panel["series"]:
        if series.get("drawn", True):
            look = {"color": colour(series["scale"]), "linestyle": styles.get(series.get("form"), "-")}
            draw_band(axes, series, **look)
    axes.set_xscale("log")
    plain_ticks(axes.xaxis)
    axes.set_ylabel(panel["ylabel"])


def scale_bar(figure, axes, label, shown, location):
    """Draw the colour bar of the scales ``shown`` beside all of ``axes``."""
    pad = 0.02 if location == "bottom" else 0.01
    _, colours = scale_colours(shown)
    bar = figure.colorbar(colours, ax=axes, location=location, label=label, aspect=40, pad=pad)
    ticks = spread_ticks(shown)
    bar.set_ticks(ticks, labels=[str(tick) for tick in ticks])
    bar.set_ticks([], minor=True)
