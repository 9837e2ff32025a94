"""Panels of a quantity along training, against the train loss: shared by figures 1, 5, 6 and 8.

A panel shows one quantity along one curve, with one line for each scale. Lines run from the initial state to
the minimum of the mean test loss. Members are averaged at equal epochs, and x is exp⟨log train loss⟩ (§4.1).
Where a formula of the paper can be read in several ways, its quantity has several *forms*: the panel's
content holds all of them, and ``drawn`` marks those that the figure shows.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple, NotRequired, TypedDict

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ntklens.analysis.intervals import Interval
from ntklens.data.registry import title
from ntklens.figures.content import MeasuredLine, Numbers, Panel, Series
from ntklens.figures.measured import MeasuredCurve
from ntklens.figures.style import Colour, band, draw_band, numbers, scale_colours
from ntklens.figures.ticks import plain_ticks, spread_ticks
from ntklens.storage.averages import Average
from ntklens.storage.quantities import QUANTITIES

LineStyle = Literal["-", "--", ":"]

TRAIN_LOSS = "Train loss"
USUAL, FAR = (0.02, 0.98), 4  # quantiles, and how many times their distance lines span where they are cut
BEYOND = 0.3  # how far beyond its lines a panel shows bands at most, as a share of what the lines span
LINE_STYLES: tuple[LineStyle, ...] = ("-", "--", ":")  # of the forms that a panel draws, in their order


class RatePoint(TypedDict):
    """The adaptation rate along training at one point of a curve (workflow/scripts/adaptation_rate.py)."""

    scale: int
    epoch: list[float]
    train_loss: list[float]
    adaptation_rate: list[float]
    low: Numbers  # of its interval
    high: Numbers
    at_minimum: Interval


class TrainingLine(MeasuredLine):
    """A line against the train loss, with the epoch of each of its points."""

    epoch: Sequence[float]


class TrainingSeries(Series):
    """The line of one scale. It has ``form`` and ``drawn`` where its quantity has several forms."""

    scale: int
    epoch: Sequence[float]
    form: NotRequired[str]
    drawn: NotRequired[bool]


class TrainingPanel(Panel[TrainingSeries]):
    """One quantity along one curve. ``reference`` is a value that a grey line marks, if there is one."""

    heading: str
    study: str
    dataset: str
    network: str
    quantity: str
    scale_label: str
    yscale: Literal["linear", "log"]
    reference: float | None


class _FormKeys(TypedDict, total=False):
    form: str
    drawn: bool


class Form(NamedTuple):
    """One reading of a quantity. ``line`` computes its line at one point of a curve.

    ``name`` tells it from the quantity's other forms, if there are any.
    """

    line: Callable[[Average, RatePoint | None], TrainingLine]
    name: str | None = None
    drawn: bool = True


class Shown(NamedTuple):
    """A quantity that panels can show, with its name in titles and its label on the axis.

    ``reference`` is a value that a grey line marks.
    """

    words: str
    ylabel: str
    forms: tuple[Form, ...]
    yscale: Literal["linear", "log"] = "linear"
    reference: float | None = None


def _averaged(name: str) -> Callable[[Average, RatePoint | None], TrainingLine]:
    """Return a function that computes the line of the mean ``name``, with its standard error."""

    def line(average: Average, _: RatePoint | None) -> TrainingLine:
        shown = average.along[name].until(average.minimum_epoch)
        x = np.exp(average.at_epochs("log_train_loss", shown.epoch))
        return {"epoch": shown.epoch.tolist(), "x": numbers(x), **band(shown.mean, shown.error)}

    return line


def _adaptation_rate(average: Average, rate: RatePoint | None) -> TrainingLine:
    """The line of −χ with its 95 % interval. The trace grows while the loss falls, so χ is negative."""
    if rate is None:
        raise ValueError("the adaptation rate is drawn from a file of adaptation rates, which is not given")
    shown = np.array(rate["epoch"]) <= average.minimum_epoch
    return {
        "epoch": np.array(rate["epoch"])[shown].tolist(),
        "x": numbers(np.array(rate["train_loss"])[shown]),
        "y": numbers(-np.array(rate["adaptation_rate"])[shown]),
        "low": numbers(-np.array(rate["high"], dtype=float)[shown]),
        "high": numbers(-np.array(rate["low"], dtype=float)[shown]),
    }


SHOWN: dict[str, Shown] = {
    "ntk_trace": Shown("trace", QUANTITIES["ntk_trace"].axis_label, (Form(_averaged("ntk_trace")),)),
    "adaptation_rate": Shown(
        "adaptation rate", QUANTITIES["adaptation_rate"].axis_label, (Form(_adaptation_rate),)
    ),
    "effective_rank": Shown(
        "effective rank", QUANTITIES["effective_rank"].axis_label, (Form(_averaged("effective_rank")),)
    ),
    "loss_susceptibility": Shown(
        "loss susceptibility",
        QUANTITIES["loss_susceptibility"].axis_label,
        (Form(_averaged("loss_susceptibility")),),
        yscale="log",
    ),
    "spectral_position": Shown(
        "spectral position",
        f"${QUANTITIES['spectral_position'].symbol}$",  # with its name it is too long for an axis
        (Form(_averaged("spectral_position")),),
        yscale="log",
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
            # As printed, Eq. 17 depends on eigenvectors' signs, which are a convention: `top_eigenvectors`.
            Form(_averaged("misalignment_as_printed"), "as printed"),
        ),
        # With random signs the printed formula gives 1 on average, even if no eigenvector turns.
        reference=1.0,
    ),
    "misalignment_of_space": Shown(
        "misalignment of the spanned space",
        "Misalignment of space",
        (Form(_averaged("misalignment_basis_free")),),
        # It falls by orders of magnitude.
        yscale="log",
    ),
}


def panels_of(curve: MeasuredCurve, shows: Iterable[str]) -> list[TrainingPanel]:
    """One panel of ``curve`` for each quantity that the figure ``shows``.

    Raises ValueError where the curve's files have different numbers of points.
    """
    averages = curve.averages()
    rates: Sequence[RatePoint | None] = [None] * len(averages)
    if "adaptation-rate" in curve.files:
        rates = curve.fit("adaptation-rate")["points"]
    points = list(zip(averages, rates, strict=True))
    return [_panel(curve, quantity, points) for quantity in shows]


def _panel(
    curve: MeasuredCurve, quantity: str, points: Sequence[tuple[Average, RatePoint | None]]
) -> TrainingPanel:
    """The panel of one ``quantity``, with a series for each form and scale."""
    words, ylabel, forms, yscale, reference = SHOWN[quantity]
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
        "yscale": yscale,
        "reference": reference,
        "series": [_series(curve, form, *point) for form in forms for point in points],
    }


def _series(curve: MeasuredCurve, form: Form, average: Average, rate: RatePoint | None) -> TrainingSeries:
    label = curve.point_label(average.scale)
    named: _FormKeys = {"form": form.name, "drawn": form.drawn} if form.name else {}
    return {
        "label": f"{label}, {form.name}" if form.name else label,
        "scale": average.scale,
        **named,
        **form.line(average, rate),
    }


def scales(panels: Iterable[Panel[Any]]) -> list[int]:
    """All scales that ``panels`` show, ascending."""
    return sorted({series["scale"] for panel in panels for series in panel["series"]})


def form_styles(panel: TrainingPanel) -> dict[str, LineStyle]:
    """The line style of each drawn form, in the order of the panel's series."""
    forms = dict.fromkeys(s["form"] for s in panel["series"] if "form" in s and s.get("drawn"))
    return dict(zip(forms, LINE_STYLES, strict=False))


def draw_lines(axes: Axes, panel: TrainingPanel, colour: Callable[[int], Colour]) -> None:
    """Draw the panel's lines, one colour for each scale.

    Axes may share the axis of the train loss: `show_fall` turns it around, once.
    """
    styles = form_styles(panel)
    if panel["reference"] is not None:
        axes.axhline(panel["reference"], color="0.6", linewidth=0.8)
    for series in panel["series"]:
        if series.get("drawn", True):
            look = {"color": colour(series["scale"]), "linestyle": styles.get(series.get("form", ""), "-")}
            draw_band(axes, series, **look)
    axes.set_xscale("log")
    plain_ticks(axes.xaxis)
    if panel["yscale"] == "log":
        axes.set_yscale("log")
        plain_ticks(axes.yaxis)
    else:
        _show_lines(axes)
    axes.set_ylabel(panel["ylabel"])


def _show_lines(axes: Axes) -> None:
    """Cut bands that reach far beyond the lines, as those of few members can when training starts.

    Lines are cut where a few of their values are far beyond all others, as −χ is where the loss jumps.
    """
    every = [np.asarray(line.get_ydata(), dtype=float) for line in axes.lines]
    drawn = np.concatenate([*every, []])
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) and np.ptp(drawn) > 0:
        least, largest = _usual_range(drawn)
        beyond, (low, high) = BEYOND * (largest - least), axes.get_ylim()
        axes.set_ylim(max(low, least - beyond), min(high, largest + beyond))


def _usual_range(values: Float[np.ndarray, " values"]) -> tuple[float, float]:
    """The range of ``values``, without a few that are far beyond all others."""
    low, high = np.quantile(values, USUAL)
    least, largest = float(values.min()), float(values.max())
    spikes = 0 < FAR * (high - low) < largest - least
    return (float(low), float(high)) if spikes else (least, largest)


def show_fall(axes: Axes, xlabel: str) -> None:
    """Invert the axis of the train loss, so that training reads from left to right, and say so."""
    axes.invert_xaxis()
    axes.set_xlabel(f"{xlabel} (log, falling →)")


def scale_bar(
    figure: Figure,
    axes: np.ndarray,
    label: str,
    shown: Sequence[int],
    location: Literal["bottom", "right"],
    coloured: Sequence[int] = (),
) -> None:
    """Draw one colour bar beside the grid ``axes``, with ticks at the scales ``shown``.

    It has the colours of the scales ``coloured``, of which ``shown`` are a part, or else of ``shown``.
    """
    rows, columns = axes.shape
    # Matplotlib counts these in lengths of the whole grid.
    pad, aspect = (0.06 / rows, 40 * columns) if location == "bottom" else (0.02 / columns, 40)
    _, colours = scale_colours(coloured or shown)
    bar = figure.colorbar(colours, ax=axes, location=location, label=label, aspect=aspect, pad=pad)
    ticks = spread_ticks(shown)
    bar.set_ticks(ticks, labels=[str(tick) for tick in ticks])
    bar.set_ticks(shown, minor=True)
