"""Two halves of the seeds of a finished config: how many intervals overlap, how many verdicts are the same.

    python benchmarks/halves.py config/reduced.yaml

The averages of the config's curves must be there, with about ten seeds or more. Of each half of the seeds,
such as 0 to 4 and 5 to 9, exponents and bends of every curve are fitted anew, and the paper's claims are
judged anew. Curves of noise scaling, whose averages hold no curves of single seeds, are left out. If all
intervals are right, two of equal width overlap in 99.4 % of cases. The numbers are written as JSON.
"""

import argparse
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from ntklens.analysis.claims import Claim, Interval, claims_from
from ntklens.analysis.comparison import Row
from ntklens.analysis.curve_laws import laws_of
from ntklens.analysis.halves import HalvesError, halves
from ntklens.analysis.intervals import Interval as IntervalRecord
from ntklens.analysis.judging import Judged, judge
from ntklens.analysis.measures.results import CurveResults
from ntklens.analysis.records import Laws
from ntklens.analysis.resampling import generator_of
from ntklens.analysis.series import key_series
from ntklens.analysis.settings import AnalysisSettings
from ntklens.analysis.transition import log_ratio_of_bends
from ntklens.planning import paths
from ntklens.planning.config import Config, load
from ntklens.planning.curves import curves, follows_minimum
from ntklens.planning.settings import analysis_settings, comparison_settings
from ntklens.planning.tables import table
from ntklens.storage.averages import Average, read_averages
from ntklens.storage.curve import Curve
from ntklens.storage.files import write_json

ROOT = Path(__file__).resolve().parents[1]
CLAIMS = ROOT / "config/claims.yaml"
Halves = tuple[list[Average], list[Average]]


class Found(NamedTuple):
    """A number of one half with its interval, and the verdict if it belongs to a claim."""

    value: float
    interval: Interval
    verdict: str = ""

    def __str__(self) -> str:
        return f"{self.value:.3g} [{self.interval.low:.3g}, {self.interval.high:.3g}] {self.verdict}".rstrip()


class Twice(NamedTuple):
    """The same number of both halves."""

    curve: str
    name: str
    first: Found
    second: Found

    @property
    def overlap(self) -> bool | None:
        """Whether the intervals overlap; None if one of them is unknown."""
        ends = (*self.first.interval, *self.second.interval)
        if any(map(math.isnan, ends)):
            return None
        one, other = self.first.interval, self.second.interval
        return one.low <= other.high and other.low <= one.high

    @property
    def same_verdict(self) -> bool | None:
        """Whether the verdicts are the same; None if neither half measures the number."""
        verdicts = {self.first.verdict, self.second.verdict}
        return None if verdicts <= {"", "not measured"} else len(verdicts) == 1

    @property
    def opposed(self) -> bool:
        """Whether one half agrees with the paper and the other disagrees."""
        return {self.first.verdict, self.second.verdict} == {"agrees", "disagrees"}


class Count(NamedTuple):
    """How many of ``compared`` pairs are alike."""

    alike: int
    compared: int


def count(alike: Iterable[bool | None]) -> Count:
    """The pairs that are alike; pairs that cannot be compared, None, are left out."""
    known = [own for own in alike if own is not None]
    return Count(sum(known), len(known))


def found(record: IntervalRecord) -> Found:
    """A fitted number; an end that is open is infinite, one that is unknown is NaN."""
    value, low, high = (math.nan if own is None else own for own in (record["value"], *_ends(record)))
    return Found(value, Interval(low, high))


def _ends(record: IntervalRecord) -> tuple[float | None, float | None]:
    low = -math.inf if record["low_open"] else record["low"]
    return low, math.inf if record["high_open"] else record["high"]


def numbers_of(laws: Mapping[str, Laws]) -> dict[str, Found]:
    """The exponents and the parameters of bent laws, by a name that tells quantity and law."""
    named: dict[str, Found] = {}
    for quantity, own in laws.items():
        for law in (own["power_law"], own["last_octaves"]):  # of one name if their windows are the same
            if law is not None:
                first, last = law["window"]
                named[f"{quantity}: exponent from {first} to {last}"] = found(law["exponent"])
        if (bent := own["bent_law"]) is not None:
            parameters = {"bend": bent["bend"], "level": bent["level"], "power": bent["power"]}
            for name, parameter in parameters.items():
                if parameter is not None:
                    named[f"{quantity}: {name} of the law '{bent['form']}'"] = found(parameter)
    return named


def fitted(averages: Sequence[Average], settings: AnalysisSettings) -> dict[str, Found]:
    """All fitted numbers of one half of a curve."""
    series, generator = key_series(averages, settings), generator_of(settings.curve)
    numbers = numbers_of({name: laws_of(name, own, generator) for name, own in series.items()})
    ratio = log_ratio_of_bends(series["trace_ratio"], series["effective_rank"])
    return numbers if ratio is None else {**numbers, "log m_Γ − log m_β": found(ratio)}


def twice(curve: str, first: Mapping[str, Found], second: Mapping[str, Found]) -> list[Twice]:
    """The numbers that both halves have; halves that follow different laws have few in common."""
    return [Twice(curve, name, own, second[name]) for name, own in first.items() if name in second]


def judged_twice(claims: Sequence[Claim], config: Config, divided: Mapping[Curve, Halves]) -> list[Twice]:
    """Every claim on the curves that are divided, judged on each half."""
    own = [curve for curve in comparison_settings(config).curves if curve.analysis.curve in divided]
    first, second = (
        judge(
            claims,
            [Judged(one, CurveResults(divided[one.analysis.curve][half], one.analysis)) for one in own],
        )
        for half in (0, 1)
    )
    pairs = zip(first, second, strict=True)
    return [Twice(row.curve, row.claim.id, _judged(row), _judged(other)) for row, other in pairs]


def _judged(row: Row) -> Found:
    return Found(row.estimate, row.interval, row.verdict)


def divided_curves(config: Config) -> Iterator[tuple[Curve, Halves]]:
    """The halves of every curve whose averages hold each seed's own values."""
    for curve in curves(config):
        if follows_minimum(config, curve):
            yield curve, halves(read_averages(ROOT / paths.averages(config.name).format(**curve._asdict())))


def counts_of(laws: Sequence[Twice], claims: Sequence[Twice]) -> dict[str, Count]:
    """What the table lists."""
    return {
        "intervals of laws that overlap": count(own.overlap for own in laws),
        "intervals of claims that overlap": count(own.overlap for own in claims),
        "verdicts that are the same": count(own.same_verdict for own in claims),
        "verdicts that are opposed": count(
            own.opposed if own.same_verdict is not None else None for own in claims
        ),
    }


def as_row(own: Twice) -> dict[str, Any]:
    """For JSON, where numbers that are not finite are text."""
    sides = [
        {"value": _plain(side.value), "low": _plain(side.interval.low), "high": _plain(side.interval.high)}
        | ({"verdict": side.verdict} if side.verdict else {})
        for side in (own.first, own.second)
    ]
    alike = {"overlap": own.overlap} | ({"same_verdict": own.same_verdict} if own.first.verdict else {})
    return {"curve": own.curve, "name": own.name, "first": sides[0], "second": sides[1], **alike}


def _plain(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("--out", type=Path, help="default: benchmarks/results/halves-{name}.json")
    args = parser.parse_args(argv)
    config = load(yaml.safe_load(args.config.read_text("utf-8")))
    try:
        divided = dict(divided_curves(config))
    except HalvesError as error:
        parser.exit(1, f"{args.config}: {error}\n")
    laws: list[Twice] = []
    for curve, parts in divided.items():
        first, second = (fitted(own, analysis_settings(config, curve)) for own in parts)
        laws += twice("/".join(curve), first, second)
    claims = judged_twice(claims_from(yaml.safe_load(CLAIMS.read_text("utf-8"))), config, divided)
    counts = counts_of(laws, claims)
    print(table(["", "", "alike", "of"], [[name, "", *map(str, own)] for name, own in counts.items()]))
    differing = [own for own in (*laws, *claims) if own.overlap is False or own.same_verdict is False]
    print(*(f"{own.curve}, {own.name}: {own.first}; {own.second}" for own in differing), sep="\n")
    content = {
        "config": config.name,
        "seeds": {"/".join(curve): [seeds_of(own) for own in parts] for curve, parts in divided.items()},
        "counts": {name: own._asdict() for name, own in counts.items()},
        "laws": [as_row(own) for own in laws],
        "claims": [as_row(own) for own in claims],
    }
    write_json(args.out or ROOT / f"benchmarks/results/halves-{config.name}.json", content)


def seeds_of(averages: Iterable[Average]) -> list[int]:
    """The seeds that some point has."""
    return sorted({int(seed) for average in averages for seed in average.seeds})


if __name__ == "__main__":
    main()
