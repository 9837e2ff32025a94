"""How many seeds were averaged at each point of a figure, as far as its content names the curves."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ntklens.storage.averages import Average
from ntklens.storage.curve import Curve


class Seeds(NamedTuple):
    """The number of averaged seeds, by curve and scale."""

    counts: Mapping[Curve, Mapping[int, int]]

    def of(self, content: Mapping[str, Any], panel: Mapping[str, Any]) -> Mapping[int, str] | str:
        """The numbers of seeds behind ``panel`` of a figure's ``content``: by scale where scales differ.

        A panel may not say which of the figure's curves it shows; then a number is a range over all of them.
        """
        by_scale: dict[int, set[int]] = {}
        for curve in curves_of(content, panel):
            for scale, count in self.counts.get(curve, {}).items():
                by_scale.setdefault(scale, set()).add(count)
        every = set[int]().union(*by_scale.values())
        if len(every) <= 1:
            return _range(every)
        return {scale: _range(own) for scale, own in by_scale.items()}


def seeds_of(averages: Mapping[Curve, Sequence[Average]]) -> Seeds:
    """The `Seeds` of these ``averages``."""
    return Seeds({curve: {own.scale: len(own.seeds) for own in points} for curve, points in averages.items()})


def curves_of(content: Mapping[str, Any], panel: Mapping[str, Any]) -> list[Curve]:
    """The curves of the figure ``content`` that ``panel`` may show, in the order of the figure."""
    described = content["provenance"]["settings"]["curves"]
    every = [Curve(own["study"], own["dataset"], own["network"]) for own in described]
    parts = [panel, *panel["series"]]
    named = [{key: part[key] for key in Curve._fields if key in part} for part in parts]
    wanted = [{**named[0], **own} for own in named[1:]]
    return [curve for curve in every if any(own.items() <= curve._asdict().items() for own in wanted)]


def seeds_in_words(series: Mapping[str, Any], seeds: Mapping[int, str] | str) -> str | list[str]:
    """How many seeds each point of ``series`` is the mean of: one text, or one for each point."""
    if isinstance(seeds, str):
        return seeds
    if "scale" in series:
        return seeds.get(series["scale"], "")
    return [seeds.get(x, "") for x in series["x"]]


def _range(counts: set[int]) -> str:
    if not counts:
        return ""
    if counts == {1}:
        return "1 seed"
    low, high = min(counts), max(counts)
    return f"{low} seeds" if low == high else f"{low} to {high} seeds"
