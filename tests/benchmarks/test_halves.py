"""What benchmarks/halves.py counts, and its output from an ensemble of six seeds."""

import json
import math

import pytest
import yaml
from ntklens.analysis.claims import Interval
from ntklens.planning import paths
from ntklens.planning.config import load
from ntklens.planning.curves import curves
from ntklens.storage.averages import write_averages

from benchmarks import halves
from benchmarks.halves import Count, Found, Twice, count, counts_of, found, twice
from tests.support.ensembles import averages_of
from tests.support.measured import known
from tests.support.origins import origin
from tests.support.small_config import small


def pair(
    first: tuple[float, float], second: tuple[float, float], verdicts: tuple[str, str] = ("", "")
) -> Twice:
    own, other = verdicts
    return Twice("curve", "name", Found(0, Interval(*first), own), Found(0, Interval(*second), other))


@pytest.mark.parametrize(
    ("first", "second", "overlap"),
    [
        ((0, 2), (1, 3), True),
        ((1, 3), (0, 2), True),
        ((0, 3), (1, 2), True),
        ((0, 1), (1, 2), True),
        ((0, 1), (2, 3), False),
        ((2, 3), (0, 1), False),
        ((-math.inf, 1), (0, math.inf), True),
        ((2, math.inf), (0, 1), False),
        ((0, 1), (math.nan, 1), None),
    ],
)
def test_intervals_overlap_where_they_have_a_number_in_common(first, second, overlap):
    assert pair(first, second).overlap is overlap


@pytest.mark.parametrize(
    ("verdicts", "same", "opposed"),
    [
        (("agrees", "agrees"), True, False),
        (("agrees", "disagrees"), False, True),
        (("disagrees", "not decided"), False, False),
        (("agrees", "not measured"), False, False),
        (("not measured", "not measured"), None, False),
        (("", ""), None, False),
    ],
)
def test_verdicts_count_where_a_half_measures_the_number(verdicts, same, opposed):
    own = pair((0, 1), (0, 1), verdicts)
    assert own.same_verdict is same
    assert own.opposed is opposed


def test_pairs_that_cannot_be_compared_are_not_counted():
    assert count([True, None, False, True]) == Count(2, 3)


def test_counts_are_of_laws_and_claims():
    laws = [pair((0, 1), (0, 1)), pair((0, 1), (2, 3)), pair((math.nan, 1), (0, 1))]
    claims = [
        pair((0, 1), (0, 2), ("agrees", "agrees")),
        pair((0, 1), (2, 3), ("agrees", "disagrees")),
        pair((math.nan, math.nan), (math.nan, math.nan), ("not measured", "not measured")),
    ]
    assert list(counts_of(laws, claims).values()) == [Count(1, 2), Count(1, 2), Count(1, 2), Count(1, 2)]


def test_open_ends_are_infinite_and_unknown_ones_undefined():
    record = {**known(2.0), "low": None, "high": None, "high_open": True}
    low, high = found(record).interval
    assert math.isnan(low)
    assert high == math.inf


def test_numbers_of_one_half_alone_are_not_compared():
    own, other = Found(1.0, Interval(0, 2)), Found(2.0, Interval(1, 3))
    (pair,) = twice("curve", {"both": own, "first alone": own}, {"both": other, "second alone": other})
    assert (pair.name, pair.first, pair.second) == ("both", own, other)


def test_halves_of_six_seeds_are_compared_for_every_curve(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(halves, "ROOT", tmp_path)
    config = small()
    config["analysis"] = {"resamples": 100}
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    loaded = load(config)
    for curve in curves(loaded):
        path = tmp_path / paths.averages("small").format(**curve._asdict())
        path.parent.mkdir(parents=True, exist_ok=True)
        write_averages(path, averages_of(members=6, noise=0.05), origin("averages"))
    halves.main([str(tmp_path / "small.yaml"), "--out", str(tmp_path / "out.json")])
    content = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert list(content["seeds"].values()) == [[[0, 1, 2], [3, 4, 5]]] * len(curves(loaded))
    exponents = [row for row in content["laws"] if row["name"] == "initial_trace: exponent from 8 to 1024"]
    assert len(exponents) == len(curves(loaded))
    counted = content["counts"]["verdicts that are the same"]
    known_verdicts = [row["same_verdict"] for row in content["claims"] if row["same_verdict"] is not None]
    assert counted == {"alike": sum(known_verdicts), "compared": len(known_verdicts)}
    assert counted["compared"] > 0
    shown = capsys.readouterr().out
    assert "verdicts that are the same" in shown
