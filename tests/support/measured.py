"""Measured curves with made-up numbers in small files, and the figures drawn from them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from ntklens.analysis.ends import Values
from ntklens.analysis.intervals import Interval
from ntklens.analysis.records import Laws, PowerLawRecord
from ntklens.figures.measured import KINDS, MeasuredCurve
from ntklens.figures.style import RC
from ntklens.storage.averages import Average, Mean, write_averages
from ntklens.storage.identity import Kind
from ntklens.storage.records import write_record
from ntklens.storage.run_code import RunCode

from tests.support.origins import origin

CODE = RunCode(commit="0123abcd", code_sha256="ff00")  # that made the runs
MADE_WITH = "ab" * 32  # the digest of the settings of every file
END = 4  # the epoch of the least mean test loss
EPOCHS = np.arange(8)
TRACE_EPOCHS = np.arange(0, 8, 2)
SPECTRUM_EPOCHS = np.array([0, 1, 4, 7])
AT_SPECTRA = (
    "effective_rank",
    "label_alignment",
    "summed_label_alignment",
    "misalignment_as_printed",
    "misalignment_sign_matched",
    "misalignment_basis_free",
    "loss_susceptibility",
    "spectral_position",
)
# Heading, symbol and label of each study's axis, and its scales here.
STUDIES: dict[str, tuple[str, str, str, tuple[int, ...]]] = {
    "model-scaling": ("Model scaling", "m", "Model width", (8, 16, 64)),
    "data-scaling": ("Data scaling", "D", "Dataset size", (40, 90, 200)),
    "noise-scaling": ("Noise scaling", "%", "Percentage removed", (0, 50, 90)),
    "sgd-width": ("Sgd width", "m", "Model width", (8, 16)),
    "deep": ("Deep", "L", "Hidden layers", (2, 3)),
    "copies": ("Copies", "%", "Percentage removed", (0, 50)),
}


class Drawing(Protocol):
    """A module that draws one kind of figure."""

    def draw(self, content: Any) -> Figure: ...


def average(scale: int, **changed: Sequence[float]) -> Average:
    """One point, whose log train loss falls evenly; ``changed`` are means that replace random ones."""
    rng = np.random.default_rng(scale)
    epochs = {
        **dict.fromkeys(("train_accuracy", "test_accuracy"), EPOCHS),
        "ntk_trace": TRACE_EPOCHS,
        **dict.fromkeys(AT_SPECTRA, SPECTRUM_EPOCHS),
    }
    along = {
        name: Mean(epoch, rng.uniform(0.2, 1, len(epoch)), rng.uniform(0.01, 0.1, len(epoch)))
        for name, epoch in epochs.items()
    }
    fall = np.log(2) - 0.3 * EPOCHS - 0.001 * scale
    along["log_train_loss"] = Mean(EPOCHS, fall, np.zeros(len(EPOCHS)))
    for name, mean in changed.items():
        along[name] = along[name]._replace(mean=np.asarray(mean, dtype=float))
    return Average(scale=scale, seeds=np.arange(3), left_out=(), minimum_epoch=END, along=along, minimum={})


def adaptation_rates(scales: Sequence[int]) -> dict[str, Any]:
    """The content of a file of adaptation rates."""
    points = [
        {
            "scale": scale,
            "epoch": [0.5, 2.5, 4.5],
            "train_loss": [2.0, 1.0, 0.5],
            "adaptation_rate": [-scale, 0.5 * scale, -7.0],
            "low": [-scale - 1.0, None, -8.0],
            "high": [-scale + 2.0, None, -6.0],
            "at_minimum": known(-7.0),
        }
        for scale in scales
    ]
    return {"settings": {}, "points": points}


def known(value: float | None, low: float | None = None, high: float | None = None) -> Interval:
    """An interval of which nothing was censored, a tenth of the value on each side unless given."""
    width = 0.1 * abs(value or 0)
    return {
        "value": value,
        "low": value - width if low is None and value is not None else low,
        "high": value + width if high is None and value is not None else high,
        "low_open": False,
        "high_open": False,
        "below": 0,
        "above": 0,
        "failed": 0,
    }


def unfitted(scales: Sequence[int], mean: Sequence[float]) -> Laws:
    """A quantity without any law."""
    values: list[float | None] = list(mean)
    tenth: list[float | None] = [0.1] * len(values)
    return {
        "scale": list(scales),
        "mean": values,
        "error": tenth,
        "low": values,
        "high": values,
        "power_law": None,
        "last_octaves": None,
        "bent_law": None,
        "choice": None,
        "no_law_because": "too few scales",
    }


def power_laws(scales: Sequence[int]) -> dict[str, Any]:
    """The content of a file of power laws. Where scales allow it, every quantity but Γ has a power law."""
    mean = [float(scale) ** 0.5 + (0 if min(scales) else 1) for scale in scales]
    plain = unfitted(scales, mean)
    fitted = plain
    if len(scales) > 1 and min(scales) > 0:
        window = [min(scales), max(scales)]
        law: PowerLawRecord = {"amplitude": 1.0, "exponent": known(0.5), "window": window}
        fitted = {**plain, "power_law": law, "last_octaves": law, "no_law_because": ""}
    return {
        **dict.fromkeys(
            ("test_loss", "initial_trace", "adaptation_rate", "trace_ratio", "trace_gain"), fitted
        ),
        "effective_rank": plain,
        "expectation": {"bend": 20.0, "initial_trace": [1.1 * value for value in mean]},
    }


def transitions(scales: Sequence[int]) -> dict[str, Any]:
    """The content of a file of transitions, without any bend."""
    series = unfitted(scales, [float(scale) for scale in scales])
    return {
        "trace_ratio": series,
        "effective_rank": series,
        "drawn": {"trace_ratio": "ratio of means"},
        "by_eye": {"trace_ratio": None, "effective_rank": None},
        "infinite_effective_rank": 30.0,
        "expectation": {"bend": 20.0, "initial_trace": [100.0 + scale for scale in scales]},
        "prediction": {"trace_ratio": [6.0 / (1 + scale / 20.0) for scale in scales]},
    }


def values(scales: Sequence[int], factor: float) -> Values:
    """``factor`` times the square root of each scale, with an interval around it."""
    own = [factor * (1 + scale**0.5) for scale in scales]
    return {"value": [*own], "low": [0.9 * one for one in own], "high": [1.2 * one for one in own]}


def ends(scales: Sequence[int]) -> dict[str, Any]:
    """The content of a file of both ends of training, of networks of two layers."""
    of_layers = ("layer_traces", "conjugate_ranks", "sensitivity_ranks", "trace_share")
    others = (
        "effective_rank",
        "weighted_effective_rank",
        "loss_susceptibility",
        "spectral_position",
        "ntk_trace",
    )
    initial = {
        **{name: [values(scales, 1.0), values(scales, 2.0)] for name in of_layers},
        **{name: values(scales, 3.0) for name in others},
    }
    distances = ("kernel_change", "kernel_cosine_distance", "parameter_change", "linearised_test_loss")
    return {
        "scale": list(scales),
        "layers": ["hidden_1", "output"],
        "initial": initial,
        "minimum": {**initial, "effective_rank": values(scales, 4.0)},
        "between": {
            "layer_trace_ratio": [values(scales, 5.0), values(scales, 6.0)],
            "weighted_trace_ratio": values(scales, 7.0),
            **{name: values(scales, 8.0) for name in distances},
        },
    }


FITS: Mapping[str, Callable[[Sequence[int]], dict[str, Any]]] = {
    "adaptation-rate": adaptation_rates,
    "power-laws": power_laws,
    "transition": transitions,
    "ends": ends,
}


def made_by_code(kind: Kind, made_with: str = MADE_WITH) -> dict[str, Any]:
    """The origin of a file of this ``kind``, ``made_with`` settings of this digest."""
    return origin(kind, settings_sha256=made_with, run_code=[CODE._asdict()])


def write_file(path: Path, need: str, scales: Sequence[int], made_with: str = MADE_WITH) -> None:
    """Write the file ``need`` of a curve with these ``scales``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if need == "averages":
        write_averages(path, [average(scale) for scale in scales], made_by_code("averages", made_with))
    else:
        write_record(path, FITS[need](scales), made_by_code(KINDS[need], made_with))


def curve(
    folder: Path,
    study: str = "model-scaling",
    dataset: str = "digits",
    network: str = "three-layer",
    scales: Sequence[int] | None = None,
    averages: Sequence[Average] | None = None,
) -> MeasuredCurve:
    """A `MeasuredCurve` with every kind of file, of ``averages`` or of made-up ones at ``scales``."""
    heading, symbol, label, own_scales = STUDIES[study]
    averages = averages or [average(scale) for scale in scales or own_scales]
    scales = [one.scale for one in averages]
    own = folder / study / dataset / network
    files = {need: own / f"{need}.file" for need in ("averages", *FITS)}
    own.mkdir(parents=True, exist_ok=True)
    write_averages(files["averages"], averages, made_by_code("averages"))
    for need in FITS:
        write_file(files[need], need, scales)
    paths = {need: str(path) for need, path in files.items()}
    made_with = dict.fromkeys(files, MADE_WITH)
    return MeasuredCurve(study, dataset, network, heading, symbol, label, made_with, paths)


def drawn(kind: Drawing, content: Any) -> Figure:
    """The figure that ``kind`` draws, laid out. It is closed, so that figures don't accumulate."""
    with plt.rc_context(RC):
        figure = kind.draw(content)
        figure.canvas.draw()
    plt.close(figure)
    return figure


def panels(figure: Figure) -> list[Axes]:
    """The visible axes that have lines, which leaves out colour bars."""
    return [axes for axes in figure.axes if axes.get_visible() and axes.lines]


def assert_labels_apart(labels: Iterable[Text]) -> None:
    """Assert that the boxes of tick labels, as they are drawn, don't overlap."""
    boxes = [label.get_window_extent() for label in labels if label.get_visible() and label.get_text()]
    boxes.sort(key=lambda box: (box.x0, box.y0))
    overlapping = [(one, other) for one, other in pairwise(boxes) if one.overlaps(other)]
    assert not overlapping
