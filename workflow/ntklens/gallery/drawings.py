"""The instructions by which the page draws a figure: all but the numbers of its series.

Those the page takes from the figure's JSON file, which it holds anyway. A *group* is what one entry of the
figure's legend shows and hides: series with one name, in all panels.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ntklens.figures.transition import bend_text
from ntklens.gallery.colours import on_dark
from ntklens.gallery.labels import as_html, as_text
from ntklens.gallery.looks import Drawing, Look, OtherLine, Scale, letter_of, place_of, scale_of, spans_of
from ntklens.gallery.seeds import Seeds, seeds_in_words
from ntklens.storage.quantities import QUANTITIES

DIGITS = 6  # significant ones, of laws; the numbers of series stay as they are
LINE = Look("#666666", "solid", None, False)  # of a series that the static figure does not draw
BANDS = {"error": "± standard error", "interval": "95 % interval"}
DASHES = {"solid": "solid", "dash": "dashed", "dot": "dotted", "dashdot": "dash-dotted"}
WITH_INTERVALS = ("transition_origin", "ranks_of_layers")  # kinds of figures whose bands are intervals


class DrawnAxis(TypedDict):
    """One axis; ``linear_to`` and ``linear_length`` are those of Matplotlib's symlog, in decades."""

    label: str
    scale: Scale
    reversed: bool
    linear_to: NotRequired[float]
    linear_length: NotRequired[float]


class DrawnLine(TypedDict):
    """The look of a line, on a light page and on a dark one. ``axis`` counts the y axes of a panel."""

    group: int
    colour: str
    dark: str
    dash: str | None
    marker: str | None
    empty: bool
    axis: int


class DrawnSeries(DrawnLine):
    """A series, by its ``index`` in the panel. ``seeds`` is one text, or one for each point."""

    index: int
    name: str
    band: str
    seeds: str | list[str]
    shown: bool


class DrawnLaw(DrawnLine):
    """A line that is no series. Without ``x`` it crosses the panel at ``y[0]``."""

    x: list[float] | None
    y: list[float]


class DrawnPanel(TypedDict):
    """One panel. ``place`` is its row and column, ``notes`` what the static figure's legend says of laws."""

    place: tuple[int, int]
    title: str
    alternative: str
    x: DrawnAxis
    y: list[DrawnAxis]
    series: list[DrawnSeries]
    laws: list[DrawnLaw]
    spans: list[tuple[float, float, bool]]
    notes: list[str]


class DrawnFigure(TypedDict):
    """All panels, and the names of the groups in the order of the legend."""

    panels: list[DrawnPanel]
    groups: list[str]


def drawn_figure(content: Mapping[str, Any], kind: str, figure: Figure, seeds: Seeds) -> DrawnFigure:
    """The instructions for the ``content`` of a figure of this ``kind``, which is drawn as ``figure``."""
    drawing, groups = Drawing(figure), {}
    found = [_Panel(drawing, panel, groups) for panel in content["panels"]]
    titles = titles_of(content["panels"])
    return {
        "panels": [
            panel.instructions(as_html(title), kind, seeds.of(content, panel.content))
            for title, panel in zip(titles, found, strict=True)
        ],
        "groups": [as_html(name) for name in groups],
    }


class _Panel:
    """One panel of a figure, and the axes in which Matplotlib drew it."""

    def __init__(self, drawing: Drawing, content: Mapping[str, Any], groups: dict[str, int]) -> None:
        self.content, self.drawing, self.groups = content, drawing, groups
        self.found = [drawing.series(series) for series in content["series"]]
        self.axes: list[Axes] = list(dict.fromkeys(own.axes for own in self.found if own))
        self.names = [group_of(content, number) for number in range(len(self.found))]
        for name in self.names:
            groups.setdefault(name, len(groups))

    def instructions(self, title: str, kind: str, seeds: Mapping[int, str] | str) -> DrawnPanel:
        """The panel for the page. ``seeds`` are how many were averaged, by scale where they differ."""
        content = self.content
        return {
            "place": place_of(self.axes[0]),
            "title": f"{letter_of(self.axes[0])} {title}".lstrip(),
            "alternative": _alternative(content),
            "x": self._axis(self.axes[0], "x", content["xlabel"]),
            "y": [self._axis(axes, "y", self._ylabel(axes)) for axes in self.axes],
            "series": [self._series(number, kind, seeds) for number in range(len(self.found))],
            "laws": [self._law(line) for line in self.drawing.others(self.axes)],
            "spans": [span for axes in self.axes for span in spans_of(axes)],
            "notes": [as_html(note) for note in (*_notes(content), *self._forms())],
        }

    def _axis(self, axes: Axes, name: Literal["x", "y"], label: str) -> DrawnAxis:
        own: DrawnAxis = {
            "label": as_html(label),
            "scale": scale_of(axes, name),
            "reversed": bool(axes.xaxis_inverted() if name == "x" else axes.yaxis_inverted()),
        }
        if own["scale"] == "symlog":
            transform: Any = (axes.xaxis if name == "x" else axes.yaxis).get_transform()
            own["linear_to"] = float(transform.linthresh)
            # Matplotlib stretches the linear part, so that both parts meet with one slope of their ticks.
            own["linear_length"] = float(transform.linscale / (1 - 1 / transform.base))
        return own

    def _ylabel(self, axes: Axes) -> str:
        """The label of a y axis: the panel's, or where it has two, the static figure's."""
        return self.content["ylabel"] if len(self.axes) == 1 else axes.get_ylabel()

    def _series(self, number: int, kind: str, seeds: Mapping[int, str] | str) -> DrawnSeries:
        series, found = self.content["series"][number], self.found[number]
        look = found.look if found else LINE
        axis = self.axes.index(found.axes) if found else 0
        group = self.groups[self.names[number]]
        return {
            **_line(look, group, axis),
            "index": number,
            "name": as_html(series.get("full_name") or series["label"] or self.names[number]),
            "band": BANDS["interval" if _has_interval(self.content, kind) else "error"],
            "seeds": seeds_in_words(series, seeds),
            "shown": found is not None,
        }

    def _forms(self) -> list[str]:
        """Which dash is which form, in a panel that draws several forms of its quantity."""
        drawn = zip(self.content["series"], self.found, strict=True)
        forms = {series["form"]: found.look.dash for series, found in drawn if found and series.get("form")}
        return [f"{DASHES[dash]}: {form}" for form, dash in forms.items() if dash] if len(forms) > 1 else []

    def _law(self, line: OtherLine) -> DrawnLaw:
        of_colour = [
            self.groups[name]
            for name, found in zip(self.names, self.found, strict=True)
            if found and found.axes is line.axes and found.look.colour == line.look.colour
        ]
        group = of_colour[0] if of_colour else -1
        return {
            **_line(line.look, group, self.axes.index(line.axes)),
            "x": None if line.x is None else rounded(line.x, DIGITS),
            "y": rounded(line.y, DIGITS),
        }


def titles_of(panels: Sequence[Mapping[str, Any]]) -> list[str]:
    """The titles of ``panels``: the headings of the static figure where each names one panel alone."""
    headings = [panel.get("heading") or panel["title"] for panel in panels]
    return headings if len(set(headings)) == len(panels) else [panel["title"] for panel in panels]


def group_of(panel: Mapping[str, Any], number: int) -> str:
    """The name by which the legend knows a series of ``panel``: without its law and its form."""
    series = panel["series"][number]
    if "name" in series:
        return series["name"]
    if series.get("form"):
        return series["label"].removesuffix(f", {series['form']}")
    return series["label"] or series.get("colour") or f"line {number + 1}"


def rounded(values: Iterable[float], digits: int) -> list[float]:
    """``values`` with so many significant ``digits``: what the eye can't tell needs no space."""
    return [float(f"{value:.{digits}g}") for value in values]


def _line(look: Look, group: int, axis: int) -> DrawnLine:
    dark = on_dark(look.colour)
    return {
        "group": group,
        "colour": look.colour,
        "dark": dark,
        "dash": look.dash,
        "marker": look.marker,
        "empty": look.empty,
        "axis": axis,
    }


def _has_interval(panel: Mapping[str, Any], kind: str) -> bool:
    """Whether the band of ``panel`` is a 95 % interval rather than a standard error."""
    along_training = "scale_label" in panel
    return panel.get("quantity") == "adaptation_rate" or (kind in WITH_INTERVALS and not along_training)


def _notes(panel: Mapping[str, Any]) -> list[str]:
    """What is known of fitted laws: exponents, or where a law bends."""
    notes: list[str] = []
    several = len({series.get("quantity") for series in panel["series"]}) > 1
    for series in panel["series"]:
        if "fit" in series:
            of = f"${QUANTITIES[series['quantity']].symbol}$, " if several else ""
            law = f"exponent {series['fit']['text']}" if series["fit"] else "no power law"
            notes.append(f"{of}{series['name']}: {law}")
        elif "no_bend_because" in series:
            notes.append(_bend_in_words(series))
    if (infinite := panel.get("infinite_effective_rank")) is not None:
        notes.append(rf"$\Gamma_\infty$ = {infinite:.0f} for infinite width")
    return notes


def _bend_in_words(series: Mapping[str, Any]) -> str:
    because = series["no_bend_because"]
    return f"{series['label']}: no bend, {because}" if because else bend_text(series["label"], series["bend"])


def _alternative(panel: Mapping[str, Any]) -> str:
    """The panel in words, for those who don't see it."""
    names: Sequence[str] = list(dict.fromkeys(group_of(panel, i) for i in range(len(panel["series"]))))
    title, x, y = (as_text(panel[key]) for key in ("title", "xlabel", "ylabel"))
    return f"{title}: {y} against {x}; lines: {', '.join(map(as_text, names))}."
