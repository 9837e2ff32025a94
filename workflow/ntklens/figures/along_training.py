"""Quantities of the NTK along training, against the train loss: what figures 1, 5, 6 and 8 share.

A panel shows one quantity of one study on one dataset, a line a scale. Lines run from the initial
state to the minimum of the mean test loss, at equal epochs; their x is exp⟨log train loss⟩ (§4.1).
A quantity may have several *forms*, readings of one formula of the paper: the panel holds them all,
and ``drawn`` says which of them the figure shows.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ntklens.analysis.ensemble import read_ensembles
from ntklens.data.registry import title
from ntklens.figures.style import band, draw_band, plain_ticks, scale_colours, spread_ticks
from ntklens.storage.files import read_json

TRAIN_LOSS = "Train loss"
STUDIES = {  # in the figures' order: study -> title, symbol of the scale, name of the scale
    "model-scaling": ("Model scaling", "m", "Model width"),
    "data-scaling": ("Data scaling", "D", "Dataset size"),
}
LINE_STYLES = ("-", "--", ":")  # of the forms that a panel draws


class Curve(NamedTuple):
    """The points of one study on one dataset; ``rates`` are None where no adaptation rate is shown."""

    study: str
    dataset: str
    ensembles: list
    rates: list

    @property
    def heading(self):
        return f"{STUDIES[self.study][0]}, {title(self.dataset)}"


def read_curve(study, dataset, ensembles, rates=None):
    """The `Curve` of an ensembles file and, where needed, an adaptation-rate file."""
    points = read_ensembles(ensembles)
    return Curve(study, dataset, points, read_json(rates)["points"] if rates else [None] * len(points))


class Form(NamedTuple):
    """One reading of a quantity: its line from an ensemble and a rate. A name where there are several."""

    line: Callable
    name: str | None = None
    drawn: bool = True


class Quantity(NamedTuple):
    ylabel: str
    forms: tuple


def _averaged(epochs, name):
    """The line of an ensemble's mean ``name`` with its standard error, measured at its ``epochs``."""

    def line(ensemble, _):
        epoch = getattr(ensemble, epochs)
        shown = epoch <= ensemble.mean_minimum_epoch
        return {
            "x": np.exp(ensemble.log_train_loss[epoch[shown]]).tolist(),
            **band(getattr(ensemble, name)[shown], getattr(ensemble, f"{name}_error")[shown]),
        }

    return line


def _adaptation_rate(ensemble, rate):
    """−χ: the trace grows while the loss falls, so χ is negative. It has no error (App. B.4)."""
    shown = np.array(rate["epoch"]) <= ensemble.mean_minimum_epoch
    return {
        "x": np.array(rate["train_loss"])[shown].tolist(),
        **band(-np.array(rate["adaptation_rate"])[shown], None),
    }


QUANTITIES = {
    "trace": Quantity(
        r"NTK trace $\mathrm{Tr}(\Theta)$",
        (Form(_averaged("trace_epoch", "ntk_trace")),),
    ),
    "adaptation rate": Quantity(r"Adaptation rate $-\chi(\Theta)$", (Form(_adaptation_rate),)),
    "effective rank": Quantity(
        r"Effective rank $\Gamma(\Theta)$",
        (Form(_averaged("spectrum_epoch", "effective_rank")),),
    ),
    "label alignment": Quantity(
        "Label alignment",
        (
            Form(_averaged("spectrum_epoch", "label_alignment"), "all outputs"),
            Form(
                _averaged("spectrum_epoch", "summed_label_alignment"),
                "summed over outputs",
                drawn=False,
            ),
        ),
    ),
    "misalignment": Quantity(
        "NTK misalignment",
        (
            Form(_averaged("spectrum_epoch", "misalignment_sign_matched"), "sign-matched"),
            Form(_averaged("spectrum_epoch", "misalignment_basis_free"), "basis-free"),
            # As printed, Eq. 17 depends on the signs that the eigensolver happens to give.
            Form(_averaged("spectrum_epoch", "misalignment_as_printed"), "as printed", drawn=False),
        ),
    ),
}


def panel(curve, quantity):
    """The panel of one ``quantity`` along a `Curve`, a series for each scale and form."""
    ylabel, forms = QUANTITIES[quantity]
    return {
        "title": f"{curve.heading}: {quantity}",
        "heading": curve.heading,
        "study": curve.study,
        "quantity": quantity,
        "xlabel": TRAIN_LOSS,
        "ylabel": ylabel,
        "series": [
            _series(curve, ensemble, rate, form)
            for form in forms
            for ensemble, rate in zip(curve.ensembles, curve.rates, strict=True)
        ],
    }


def _series(curve, ensemble, rate, form):
    label = f"{STUDIES[curve.study][1]} = {ensemble.scale}"
    named = {"form": form.name, "drawn": form.drawn} if form.name else {}
    return {
        "label": f"{label}, {form.name}" if form.name else label,
        "scale": ensemble.scale,
        **named,
        **form.line(ensemble, rate),
    }


def scales(panels):
    """Every scale that ``panels`` show, ascending."""
    return sorted({series["scale"] for panel in panels for series in panel["series"]})


def form_styles(panel):
    """Drawn form -> line style, in the order of the panel's series."""
    forms = dict.fromkeys(s["form"] for s in panel["series"] if s.get("drawn"))
    return dict(zip(forms, LINE_STYLES, strict=False))


def draw_lines(axes, panel, colour):
    """The panel's lines, a colour a scale. Figures turn the axis round: training reads left to right."""
    styles = form_styles(panel)
    for series in panel["series"]:
        if series.get("drawn", True):
            look = {"color": colour(series["scale"]), "linestyle": styles.get(series.get("form"), "-")}
            draw_band(axes, series, **look)
    axes.set_xscale("log")
    plain_ticks(axes.xaxis)
    axes.set_ylabel(panel["ylabel"])


def scale_bar(figure, axes, study, shown, location):
    """The colour bar of the scales ``shown``, beside all of ``axes``."""
    pad = 0.02 if location == "bottom" else 0.01
    bar = figure.colorbar(
        scale_colours(shown)[1], ax=axes, location=location, label=STUDIES[study][2], aspect=40, pad=pad
    )
    ticks = spread_ticks(shown)
    bar.set_ticks(ticks, labels=[str(tick) for tick in ticks])
    bar.set_ticks([], minor=True)
