"""The estimate's script: its text and its JSON."""

import json

import pytest
import yaml
from ntklens.costs import prices as costs
from ntklens.costs.prices import Job
from ntklens.costs.units import read_unit_costs
from ntklens.planning import curves as studies
from ntklens.planning import requests as resources
from ntklens.planning.config import complete
from ntklens.planning.curves import Curve

from workflow.scripts import estimate

CONFIGS = sorted((estimate.ROOT / "config").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_study_and_figure_has_a_row(path, capsys):
    config = complete(yaml.safe_load(path.read_text()))
    estimate.main(["--config", str(path)])
    text = capsys.readouterr().out
    rows = [line.split() for line in text.splitlines()]
    for curve in studies.curves(config):
        assert any(row[:2] == [curve.study, curve.dataset] for row in rows)
    for number in range(1, 9):
        assert any(row[:2] == ["figure", str(number)] for row in rows)
    assert "assumed, not measured" in text
    assert all(len(line) <= 130 for line in text.splitlines())


def test_the_papers_config_is_the_default(capsys):
    estimate.main([])
    assert "config 'paper'" in capsys.readouterr().out


def test_json_holds_the_same_numbers(tmp_path, capsys):
    file = tmp_path / "costs.json"
    estimate.main(["--config", str(estimate.ROOT / "config/smoke.yaml"), "--json", str(file)])
    content = json.loads(file.read_text())
    assert content["total"]["jobs"] == len(content["jobs"]) == sum(one["jobs"] for one in content["studies"])
    assert set(content["figures"]) == {str(number) for number in range(1, 9)}
    assert f"total {content['total']['jobs']}" in " ".join(capsys.readouterr().out.split())


def test_requests_are_the_largest_and_the_sum():
    curve = Curve("model-scaling", "mnist", "three-layer")
    jobs = [
        Job("train", curve, 8, {"training": 3600.0}, 60.0, 2e9, 1.0),
        Job("train", curve, 16, {"training": 7200.0}, 3600.0, 1e9, 1.0),
    ]
    assert estimate.requested(jobs, gpus=0) == {"mem_mb": 3000, "runtime": 360, "hours": 9.0}
    assert estimate.requested(jobs, gpus=1) == {
        "mem_mb": 3000 + resources.CUDA_MEMORY,
        "runtime": 180,
        "hours": 3 + resources.LEAST_RUNTIME / 60,
    }


def test_the_papers_requests_are_those_of_its_jobs(capsys):
    config = complete(yaml.safe_load((estimate.ROOT / "config/paper.yaml").read_text()))
    jobs = costs.jobs_of(config, read_unit_costs())
    noise = [job for job in jobs if job.curve.study == "noise-scaling"]
    estimate.main([])
    text = capsys.readouterr().out
    assert f"noise-scaling cifar-4 {' '.join(estimate.request_cells(noise))}" in " ".join(text.split())
    assert len(estimate.training_jobs(jobs)) == 303 + 10 + 9  # train, train_noise, calibrate


def test_seeds_of_one_job_start_together(tmp_path, capsys):
    file = tmp_path / "costs.json"
    estimate.main(["--config", str(estimate.ROOT / "config/smoke.yaml"), "--json", str(file)])
    shared, alone = json.loads(file.read_text())["training_jobs"].values()
    assert (shared["jobs"], alone["jobs"]) == (2 + 12 + 4, 2 + 18 + 4)
    assert shared["start_up_seconds"] < alone["start_up_seconds"]
    assert "in 18 jobs; with one seed a job" in capsys.readouterr().out


def test_a_wrong_config_is_one_line(tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: wrong\n")
    with pytest.raises(SystemExit, match="estimate: the config lacks the key studies"):
        estimate.main(["--config", str(wrong)])


@pytest.mark.parametrize(
    ("count", "text"), [(10, "10 B"), (999.4e3, "999 kB"), (999.6e3, "1 MB"), (4.25e9, "4.2 GB")]
)
def test_sizes(count, text):
    assert estimate.size(count) == text


@pytest.mark.parametrize(("seconds", "text"), [(36, "0.01"), (5400, "1.5"), (360000, "100")])
def test_hours(seconds, text):
    assert estimate.hours(seconds) == text
