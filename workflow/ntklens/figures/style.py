"""One look for all figures, and the pieces they share."""

import itertools
import re
import string
import textwrap
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ntklens.storage.files import whole_file, write_json
from ntklens.storage.provenance import provenance

COLUMN = 3.35  # inches, one column of a two-column page
NARROW = 2.5  # inches, a column of panels where there are more than two
# Of panels: a to z, then aa to zz.
LETTERS = [*string.ascii_lowercase, *map("".join, itertools.product(string.ascii_lowercase, repeat=2))]

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


def column_width(columns):
    """Inches of each of ``columns`` columns of panels."""
    return COLUMN if columns <= 2 else NARROW


def look_of(names):
    """For each name its colour and marker, the same in every panel of a figure."""
    colours, markers = len(DATASET_COLOURS), len(MARKERS)
    return {
        name: {
            "color": DATASET_COLOURS[i % colours],
            # Once every colour is taken, colours come again with the next marker.
            "marker": MARKERS[(i + i // colours) % markers],
        }
        for i, name in enumerate(names)
    }


def scale_colours(scales):
    """A map from scale to colour, even in log scale, and the mappable for its colour bar.

    Where a scale is 0, colours are even in the scale itself.
    """
    # The yellow end of viridis is too faint for lines on white.
    colours = ListedColormap(plt.get_cmap("viridis")(np.linspace(0, 0.9, 256)))
    low, high = min(scales), max(scales)
    norm = LogNorm if low > 0 else Normalize
    mappable = ScalarMappable(norm(low, high if high > low else max(2 * low, 1)), colours)
    return mappable.to_rgba, mappable


def draw_band(axes, series, **look):
    """Draw a line with its band of one standard error, where it has one."""
    # As floats: what JSON holds as null becomes NaN.
    x, y, low, high = (np.array(series.get(key), dtype=float) for key in ("x", "y", "low", "high"))
    (line,) = axes.plot(x, y, **look)
    if series.get("low") is not None:
        axes.fill_between(x, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
    return line


def draw_points(axes, series, law, look, label, empty):
    """Markers, ``empty`` or filled, with their band, and the fitted ``law`` (x, y) dashed, if any."""
    face = "white" if empty else look["color"]
    line = draw_band(axes, series, label=label, linestyle="", markerfacecolor=face, **look)
    if law:
        axes.plot(law["x"], law["y"], "--", color=look["color"], linewidth=0.8)
    return line


def log_scales(axes):
    """Make the axes logarithmic: y where any number is positive, x where all of them are.

    A point without a logarithm is left out along y; a scale must not be lost, so that x then stays linear.
    """
    x, y = (np.concatenate([get(line) for line in axes.lines]) for get in (_x_of, _y_of))
    if np.all(x > 0):
        axes.set_xscale("log")
        # Below a decade Matplotlib labels every subdivision, one over the other.
        if x.max() < 10 * x.min():
            plain_ticks(axes.xaxis)
    if np.any(y > 0):
        axes.set_yscale("log")


def _x_of(line):
    return line.get_xdata()


def _y_of(line):
    return line.get_ydata()


def label_panel(axes, letter):
    axes.set_title(f"({letter})", loc="left", fontweight="bold")


def name_panel(axes, name, width):
    """Put ``name`` above axes that have ``width`` inches with their labels, in as many lines as it needs."""
    characters = int((width - 1.0) / 0.06)  # of the title's font, beside tick labels and the panel's letter
    whole = re.sub(r"\([^)]*\)", lambda part: part[0].replace(" ", "\xa0"), name)  # what brackets enclose
    lines = textwrap.wrap(whole, characters, break_on_hyphens=False)
    axes.set_title("\n".join(lines).replace("\xa0", " "))


def spread_ticks(values):
    """Those of the ascending ``values`` whose labels don't meet on a logarithmic axis, and the largest.

    The axis is linear where the least value is 0.
    """
    places = np.log(values) if values[0] > 0 else np.array(values, dtype=float)
    closest = (places[-1] - places[0]) / 10
    kept = [len(values) - 1]
    for i in reversed(range(len(values) - 1)):
        if places[kept[-1]] - places[i] > closest:
            kept.append(i)
    return [values[i] for i in reversed(kept)]


def plain_ticks(axis):
    """Label a logarithmic axis at 1, 2 and 5 where it spans less than two decades, in plain numbers."""
    if axis.get_scale() != "log":
        return
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
    """Lengthen the y axis by ``share`` of itself, upwards or downwards."""
    low, high = axes.get_ylim()
    if axes.get_yscale() == "log":
        factor = (high / low) ** share
        axes.set_ylim((low / factor, high) if below else (low, high * factor))
    else:
        more = (high - low) * share
        axes.set_ylim((low - more, high) if below else (low, high + more))


def legend_columns(labels, width, most=None):
    """How many columns of a legend with these ``labels`` fit into ``width`` inches; at most ``most``."""
    column = 0.06 * max(map(len, labels)) + 0.5  # of the legend's font, beside the line's piece
    fitting = min(int(width / column), len(labels), most or len(labels))
    return max(fitting, 1)


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
        return {"y": numbers(mean), "low": None, "high": None}
    error = np.asarray(error, dtype=float)
    return {"y": numbers(mean), "low": numbers(mean - error), "high": numbers(mean + error)}


def numbers(values):
    """``values`` as a list for JSON, which has no NaN: None stands for it."""
    return [value if np.isfinite(value) else None for value in np.asarray(values, dtype=float).tolist()]
