"""The estimate of a config: its jobs, its sums, its text and its numbers."""

from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import yaml
from ntklens.costs.prices import Price
from ntklens.costs.units import read_unit_costs
from ntklens.planning import estimate, tables
from ntklens.planning.config import load
from ntklens.planning.curves import batches, curves, learning_rate_of, scales
from ntklens.planning.estimate import Job
from ntklens.planning.later_jobs import LaterJobs
from ntklens.planning.requests import CUDA_MEMORY, LEAST_RUN_TIME, Requests, memory_mb, run_time_minutes

from tests.support.small_config import BY_SIZE, BY_WIDTH, changed, small

CONFIGS = sorted(
    path for path in (Path(__file__).parents[2] / "config").glob("*.yaml") if path.stem != "claims"
)
UNITS = read_unit_costs()
NONE = LaterJobs(Counter(), {})
SHIPPED = pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)


@cache
def shipped(path):
    config = load(yaml.safe_load(path.read_text(encoding="utf-8")))
    return config, estimate.jobs_of(config, UNITS)


def job(rule, curve, seconds, seeds=2, gpu_seconds=60.0, memory=2e9):
    price = Price({"start-up": 10.0, "training": seconds - 10.0}, gpu_seconds, memory, disk=1e6)
    return Job(rule, "digits", curve, 8, range(seeds), price)


@SHIPPED
def test_every_job_of_a_shipped_config_is_priced_and_asks_for_its_price(path):
    config, jobs = shipped(path)
    expected = []
    for curve in curves(config):
        expected += [("calibrate", curve, None)] * (learning_rate_of(config, curve) is None)
        expected += [
            ("train", curve, scale) for scale in scales(config, curve) for _ in batches(config, curve, scale)
        ]
    own = estimate.on_cluster(jobs)
    assert [(one.rule, one.curve, one.scale) for one in own] == expected
    assert {one.dataset for one in jobs} == {one.dataset for one in own}
    requests = Requests(config, gpus=0)
    for one in own:
        assert min(one.price.core_seconds, one.price.gpu_seconds, one.price.memory, one.price.disk) > 0
        asked = (one.curve, one.scale, len(one.seeds))
        assert requests.memory_mb(*asked) == memory_mb(one.price, 0)
        # Later batches find programs compiled, which requests don't count on.
        assert requests.run_time_minutes(*asked) >= run_time_minutes(one.price, 0)


def test_the_papers_config_takes_a_day_of_a_core():
    _, jobs = shipped(CONFIGS[0].with_stem("paper"))
    assert len(estimate.on_cluster(jobs)) == 313 + 9  # train, calibrate
    assert 10 < estimate.total(jobs)["core_seconds"] / 3600 < 40


def test_page_on_scale_says_what_the_papers_config_takes_and_requests():
    _, jobs = shipped(CONFIGS[0].with_stem("paper"))
    page = (CONFIGS[0].parents[1] / "docs/at-scale.md").read_text(encoding="utf-8")
    whole, cluster = estimate.total(jobs), estimate.on_cluster(jobs)
    taken = [tables.hours(whole[of]) for of in ("core_seconds", "gpu_seconds")]
    asked = [tables.hours(3600 * estimate.requested(cluster, gpus)["hours"]) for gpus in (0, 1)]
    for core, gpu in (taken, asked):
        assert f"| {core} core-hours, {gpu} GPU-hours |" in page
    assert f"| {len(cluster)} jobs |" in page


@SHIPPED
def test_the_total_is_that_of_the_studies_and_no_figure_costs_more(path):
    config, jobs = shipped(path)
    whole = estimate.total(jobs)
    studies = [estimate.total(own) for own in estimate.by_study(jobs).values()]
    for part in ("jobs", "core_seconds", "gpu_seconds", "disk"):
        assert sum(own[part] for own in studies) == pytest.approx(whole[part])
    for part in ("longest", "memory"):
        assert max(own[part] for own in studies) == whole[part]
    one = estimate.total(estimate.jobs_for(jobs, curves(config)[:1]))
    assert 0 < one["core_seconds"] < whole["core_seconds"]
    assert estimate.jobs_for(jobs, curves(config)) == jobs


def test_a_study_called_data_is_not_that_of_the_datasets():
    jobs = [job("fetch", None, 20.0), job("train", BY_WIDTH._replace(study="data"), 30.0)]
    assert [len(own) for own in estimate.by_study(jobs).values()] == [1, 1]
    numbers = estimate.as_json(load(small()), jobs, NONE, {}, UNITS)
    assert [(own["study"], own["core_seconds"]) for own in numbers["studies"]] == [("data", 20), ("data", 30)]


def test_a_dataset_is_fetched_once_and_a_given_rate_needs_no_calibration():
    config = load(changed(("studies", "model-scaling", 0, "learning_rate"), 0.01))
    jobs = estimate.jobs_of(config, UNITS)
    assert [(one.rule, one.dataset) for one in jobs if one.curve is None] == [
        ("fetch", "digits"),
        ("subsample", "digits"),
    ]
    assert {one.curve for one in jobs if one.rule == "calibrate"} == {BY_SIZE}


def test_a_run_takes_at_least_its_longest_chain():
    jobs = [job("calibrate", BY_WIDTH, 100.0), job("train", BY_WIDTH, 50.0), job("train", BY_SIZE, 120.0)]
    assert estimate.wall_seconds(jobs, 1) == 270.0
    assert estimate.wall_seconds(jobs, 1000) == 150.0


def test_requests_are_the_largest_and_the_sum():
    jobs = [job("train", BY_WIDTH, 3600.0), job("train", BY_SIZE, 7200.0, gpu_seconds=3600.0, memory=1e9)]
    assert estimate.requested(jobs, gpus=0) == {"mem_mb": 3000, "minutes": 360, "hours": 9.0}
    hours = 3 + LEAST_RUN_TIME / 60
    assert estimate.requested(jobs, gpus=1) == {"mem_mb": 3000 + CUDA_MEMORY, "minutes": 180, "hours": hours}


def test_one_seed_a_job_is_what_such_a_config_takes():
    shared, alone = small(), small()
    for entries in alone["studies"].values():
        entries[0]["seeds_per_job"] = 1
    (_, expected), (own, _) = (
        estimate.start_ups(estimate.on_cluster(estimate.jobs_of(load(config), UNITS)), UNITS)
        for config in (shared, alone)
    )
    assert own == pytest.approx(expected)


@SHIPPED
def test_every_study_and_figure_has_a_row(path):
    config, jobs = shipped(path)
    later = LaterJobs(Counter(aggregate=5, all=1), {"3": Counter(figure_3=1), "own": Counter(figure_own=2)})
    text = estimate.report(config, jobs, later, {"3": curves(config)[:2], "own": curves(config)}, UNITS)
    rows = [line.split() for line in text.splitlines()]
    for curve in curves(config):
        assert sum(row[:2] == [curve.study, curve.dataset] for row in rows) == 2  # costs and requests
    assert ["figure", "3"] in [row[:2] for row in rows]
    total = estimate.total(jobs)
    assert ["total", str(total["jobs"] + 6)] in [row[:2] for row in rows]
    assert ["averages,", "fits,", "figures", "6"] in rows
    assert any(row[:2] == ["figure", "own"] and str(total["jobs"] + 2) in row for row in rows)
    assert "assumed, not measured" in text
    assert all(len(line) <= 130 for line in text.splitlines())


@pytest.mark.parametrize(
    ("studies", "text"),
    [("aab", "a ×2, b ×1"), ("abc", "a ×1, b ×1, c ×1"), ("aabcd", "a ×2 and 3 other studies")],
)
def test_row_of_a_figure_names_its_studies(studies, text):
    shown = [BY_WIDTH._replace(study=study) for study in studies]
    later = LaterJobs(Counter(), {"7": Counter(figure_7=1)})
    jobs = estimate.jobs_of(load(small()), UNITS)
    report = estimate.report(load(small()), jobs, later, {"7": shown}, UNITS)
    (row,) = (line for line in report.splitlines() if line.startswith("figure 7"))
    assert row.split("  ")[1].strip() == text


def test_json_holds_the_same_numbers():
    config, jobs = shipped(CONFIGS[0])
    content = estimate.as_json(config, jobs, NONE, {"3": curves(config)}, UNITS)
    assert content["total"]["jobs"] == len(content["jobs"]) == sum(one["jobs"] for one in content["studies"])
    assert content["figures"] == {"3": content["total"]}
    assert sum(sum(one["seconds"].values()) for one in content["jobs"]) == content["total"]["core_seconds"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (tables.size(10), "10 B"),
        (tables.size(999.4e3), "999 kB"),
        (tables.size(999.6e3), "1 MB"),
        (tables.size(4.25e9), "4.2 GB"),
        (tables.hours(36), "0.01"),
        (tables.hours(5400), "1.5"),
        (tables.hours(360000), "100"),
        (tables.duration(99), "99 s"),
        (tables.duration(7200), "2.0 h"),
        (
            tables.table(["a", "b", "c"], [["x", "yy", "1"], ["x", "", "22"]]),
            "a  b    c\n-  --  --\nx  yy   1\nx      22",
        ),
    ],
)
def test_numbers_as_people_read_them(text, expected):
    assert text == expected
