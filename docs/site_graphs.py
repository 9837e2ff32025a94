"""A hook of the documentation site (mkdocs.yml): draws Mermaid's graphs as SVG, when the site is built.

A browser of the repository draws these graphs by itself. On the site Mermaid would be a script from another
host. Only what the pages use is understood: ``flowchart LR`` or ``TD``, boxes with labels, and arrows.

Boxes stand in layers: each one layer behind the last that leads to it. An arrow that crosses layers takes a
place of its own in each. Within a layer, places are sorted by the mean of their neighbours' places in the
layer before or behind (Sugiyama, Tagawa & Toda 1981).
"""

import re
from html import escape
from itertools import pairwise
from statistics import mean
from typing import Any, NamedTuple

FENCED_GRAPH = re.compile(r"^```mermaid\n(flowchart .*?)^```$", re.DOTALL | re.MULTILINE)
CHARACTER, LINE = 7.4, 17  # pixels, of a monospaced font of 12 pixels
PADDING, BETWEEN_LAYERS, BETWEEN_BOXES = 10, 46, 16
SWEEPS = 12

Place = tuple[str, ...]  # (box,), or (tail, head, layer) where an arrow crosses a layer


class Graph(NamedTuple):
    """A graph: its direction, the lines of each box's label, and its arrows (tail, head)."""

    to_the_right: bool
    boxes: dict[str, list[str]]
    arrows: list[tuple[str, str]]


class Rectangle(NamedTuple):
    """A place in the picture: its upper left corner and its size, in pixels."""

    x: float
    y: float
    width: float
    height: float


def parsed(text: str) -> Graph:
    """The graph that Mermaid's ``text`` describes."""
    arrows = re.findall(r"^ *(\w+) --> (\w+)$", text, re.MULTILINE)
    labels = dict(re.findall(r'^ *(\w+)\["([^"]+)"\]$', text, re.MULTILINE))
    names = dict.fromkeys([*labels, *(name for arrow in arrows for name in arrow)])
    return Graph(
        text.startswith("flowchart LR"), {name: labels.get(name, name).split(", ") for name in names}, arrows
    )


def layers_of(graph: Graph) -> tuple[list[list[Place]], list[list[Place]]]:
    """The places in each layer, in order, and the places that each arrow passes."""
    layer = dict.fromkeys(graph.boxes, 0)
    for _ in graph.boxes:  # each pass settles at least one more layer
        for tail, head in graph.arrows:
            layer[head] = max(layer[head], layer[tail] + 1)
    paths: list[list[Place]] = [
        [(tail,), *((tail, head, str(i)) for i in range(layer[tail] + 1, layer[head])), (head,)]
        for tail, head in graph.arrows
    ]
    layers: list[list[Place]] = [[] for _ in range(max(layer.values()) + 1)]
    for name, own in layer.items():
        layers[own].append((name,))
    for path in paths:
        for place in path[1:-1]:
            layers[int(place[2])].append(place)
    return _sorted(layers, paths), paths


def _sorted(layers: list[list[Place]], paths: list[list[Place]]) -> list[list[Place]]:
    """``layers``, each sorted by its places' neighbours in the layer before and the one behind, in turn."""
    steps = [step for path in paths for step in pairwise(path)]
    for sweep in range(SWEEPS):
        forwards = sweep % 2 == 0
        at = {place: i / len(layer) for layer in layers for i, place in enumerate(layer)}
        for layer in layers if forwards else layers[::-1]:
            near = {
                place: [at[a if forwards else b] for a, b in steps if place == (b if forwards else a)]
                for place in layer
            }
            layer.sort(key=lambda place: mean(near[place]) if near[place] else at[place])
            at |= {place: i / len(layer) for i, place in enumerate(layer)}
    return layers


def rectangles(graph: Graph, layers: list[list[Place]]) -> dict[Place, Rectangle]:
    """Where each place is in the picture."""
    sizes = {place: _size(graph, place) for layer in layers for place in layer}
    along, across = (0, 1) if graph.to_the_right else (1, 0)
    lengths = [
        sum(sizes[place][across] for place in layer) + BETWEEN_BOXES * (len(layer) - 1) for layer in layers
    ]
    found: dict[Place, Rectangle] = {}
    start = 0.0
    for layer, length in zip(layers, lengths, strict=True):
        thickness = max(sizes[place][along] for place in layer)
        position = (max(lengths) - length) / 2
        for place in layer:
            size = sizes[place]
            corner = (start + (thickness - size[along]) / 2, position)
            x, y = corner if graph.to_the_right else corner[::-1]
            found[place] = Rectangle(x, y, *size)
            position += size[across] + BETWEEN_BOXES
        start += thickness + BETWEEN_LAYERS
    return found


def _size(graph: Graph, place: Place) -> tuple[float, float]:
    if len(place) > 1:
        return 0.0, 0.0
    lines = graph.boxes[place[0]]
    return max(map(len, lines)) * CHARACTER + 2 * PADDING, len(lines) * LINE + PADDING


def svg(text: str) -> str:
    """The picture of the graph in Mermaid's ``text``."""
    graph = parsed(text)
    layers, paths = layers_of(graph)
    at = rectangles(graph, layers)
    width = max(own.x + own.width for own in at.values())
    height = max(own.y + own.height for own in at.values())
    lines = [
        f'<svg viewBox="-2 -2 {width + 4:.0f} {height + 4:.0f}" style="width:100%;max-width:{width:.0f}px"'
        ' font-family="monospace" font-size="12" fill="none" stroke="#546e7a" role="img">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7"'
        ' orient="auto"><path d="M0 0L8 4L0 8z" fill="#546e7a" stroke="none"/></marker></defs>',
    ]
    lines += [_arrow([at[place] for place in path], graph.to_the_right) for path in paths]
    lines += [_box(at[(name,)], label) for name, label in graph.boxes.items()]
    return "<div>\n" + "\n".join(lines) + "\n</svg>\n</div>"


def _arrow(passed: list[Rectangle], to_the_right: bool) -> str:
    """A smooth line from the end of the first place to the start of the last."""
    drawn = ""
    for own, following in pairwise(passed):
        if to_the_right:
            x, y = own.x + own.width, own.y + own.height / 2
            to_x, to_y = following.x, following.y + following.height / 2
            bend = (to_x - x) / 2
            controls = f"{x + bend:.1f} {y:.1f} {to_x - bend:.1f} {to_y:.1f}"
        else:
            x, y = own.x + own.width / 2, own.y + own.height
            to_x, to_y = following.x + following.width / 2, following.y
            bend = (to_y - y) / 2
            controls = f"{x:.1f} {y + bend:.1f} {to_x:.1f} {to_y - bend:.1f}"
        drawn += (f"M{x:.1f} {y:.1f}" if not drawn else "") + f"C{controls} {to_x:.1f} {to_y:.1f}"
    return f'<path class="arrow" d="{drawn}" marker-end="url(#tip)"/>'


def _box(own: Rectangle, label: list[str]) -> str:
    """A box with its lines of text."""
    middle = own.x + own.width / 2
    first = own.y + own.height / 2 - (len(label) - 1) * LINE / 2 + 4
    text = "".join(
        f'<text x="{middle:.1f}" y="{first + i * LINE:.1f}" text-anchor="middle" fill="#222" stroke="none">'
        f"{escape(line)}</text>"
        for i, line in enumerate(label)
    )
    return (
        f'<rect x="{own.x:.1f}" y="{own.y:.1f}" width="{own.width:.1f}" height="{own.height:.1f}" rx="4"'
        f' fill="#eceff1"/>{text}'
    )


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The page's Markdown with pictures of its graphs."""
    return FENCED_GRAPH.sub(lambda block: svg(block[1]), markdown)
