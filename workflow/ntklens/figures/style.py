"""One look for all figures, and the pieces they share."""

import re
import string
import textwrap
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ntklens.storage.files import whole_file, write_json
from ntklens.storage.provenance import provenance

COLUMN = 3.35  # inches, one column of a two-column page
LETTERS = string.ascii_lowercase

# Okabe and Ito's colours, which colour-blind readers can tell apart.
DATASET_COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
MARKERS = ["o", "s", "^", "D", "v", "P"]

RC = {
    "font.family": "DejaVu Sans",
    "mathtext.fontset": "dejavusans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "legend.fontsize": 6.5,
    "legend.handletextpad": 0.4,
    "axes.formatter.limits": (-3, 4),
    "axes.formatter.use_mathtext": True,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.linewidth": 0.6,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,
}


def dataset_look(datasets):
    """For each name its colour and marker, the same in every panel of a figure."""
    return {
        name: {
            "color": DATASET_COLOURS[i % len(DATASET_COLOURS)],
            "marker": MARKERS[i % len(MARKERS)],
        }
        for i, name in enumerate(datasets)
    }


def scale_colours(scales):
    """A map from scale to colour, even in log scale, and the mappable for its colour bar."""
    # The yellow end of viridis is too faint for lines on white.
    colours = ListedColormap(plt.get_cmap("viridis")(np.linspace(0, 0.9, 256)))
    low, high = min(scales), max(scales)
    mappable = ScalarMappable(LogNorm(low, high if high > low else low * 2), colours)
    return mappable.to_rgba, mappable


def draw_band(axes, series, **look):
    """A line with its band of one standard error, where it has one."""
    (line,) = axes.plot(series["x"], series["y"], **look)
    if series.get("low") is not None:
        axes.fill_between(
            series["x"],
            series["low"],
            series["high"],
            color=line.get_color(),
            alpha=0.2,
            linewidth=0,
        )
    return line


def draw_points(axes, series, law, look, label, empty):
    """Markers, ``empty`` or filled, with their band, and the fitted ``law`` (x, y) dashed, if any."""
    face = "white" if empty else look["color"]
    line = draw_band(axes, series, label=label, linestyle="", markerfacecolor=face, **look)
    if law:
        axes.plot(law["x"], law["y"], "--", color=look["color"], linewidth=0.8)
    return line


def label_panel(axes, letter):
    axes.set_title(f"({letter})", loc="left", fontweight="bold")


def name_panel(axes, name, width):
    """Put ``name`` above axes that have ``width`` inches with their labels, in as many lines as it needs."""
    characters = int((width - 1.0) / 0.06)  # of the title's font, beside tick labels and the panel's letter
    whole = re.sub(r"\([^)]*\)", lambda part: part[0].replace(" ", "\xa0"), name)  # what brackets enclose
    lines = textwrap.wrap(whole, characters, break_on_hyphens=False)
    axes.set_title("\n".join(lines).replace("\xa0", " "))


def spread_ticks(values):
    """Those of the ascending ``values`` whose labels don't meet on a logarithmic axis, and the largest."""
    closest = (values[-1] / values[0]) ** (1 / 10)
    kept = [values[-1]]
    for value in reversed(values[:-1]):
        if kept[-1] / value > closest:
            kept.append(value)
    return kept[::-1]


def plain_ticks(axis):
    """Label a logarithmic axis at 1, 2 and 5 where it spans less than two decades, in plain numbers."""
    low, high = sorted(axis.get_view_interval())
    subdivisions = (1, 2, 5) if high / low < 100 else (1,)
    if high / low < 4:
        subdivisions = (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9)
    axis.set_major_locator(LogLocator(subs=subdivisions))
    axis.set_major_formatter(FuncFormatter(_plain_number))
    axis.set_minor_formatter(NullFormatter())


def _plain_number(value, _):
    if 1e-3 < value < 1e4:
        return f"{value:g}"
    exponent = int(np.floor(np.log10(value) + 1e-9))
    factor = value / 10.0**exponent
    power = rf"10^{{{exponent}}}"
    return f"${power}$" if abs(factor - 1) < 1e-6 else rf"${factor:g}\times{power}$"


def room_for_legend(axes, share, below=False):
    """Lengthen a logarithmic y axis by ``share`` of itself, upwards or downwards."""
    low, high = axes.get_ylim()
    factor = (high / low) ** share
    axes.set_ylim((low / factor, high) if below else (low, high * factor))


def save_figure(figure, content, path, inputs, settings):
    """Write ``figure`` to ``path``, a PDF, and beside it as PNG; ``content`` with provenance as JSON."""
    path = Path(path)
    content = {**content, "provenance": provenance(settings, inputs, ["matplotlib", "numpy"])}
    # Without dates, the same numbers make the same file.
    for suffix, metadata in ((".pdf", {"CreationDate": None}), (".png", {"Software": None})):
        with whole_file(path.with_suffix(suffix)) as temporary:
            figure.savefig(temporary, metadata=metadata)
    write_json(path.with_suffix(".json"), content)
    plt.close(figure)


def band(mean, error):
    """The keys y, low and high of a series, from mean and standard error (None for no band)."""
    mean = np.asarray(mean, dtype=float)
    if error is None:
        return {"y": mean.tolist(), "low": None, "high": None}
    error = np.asarray(error, dtype=float)
    return {"y": mean.tolist(), "low": (mean - error).tolist(), "high": (mean + error).tolist()}
