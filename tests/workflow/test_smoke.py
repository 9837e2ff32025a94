"""The smoke config runs from an empty results folder to its figures."""

import json
import re

import h5py
import pytest

RUN = "results/smoke/runs/model-scaling/digits/three-layer/width-16/seeds-0-1.h5"
JOBS = {
    "fetch": 1,
    "subsample": 1,
    "calibrate": 2,
    "train": 6 + 3 + 4,  # 3 widths, seeds 0–1 and 2; 3 sizes, all seeds; 2 networks at 2 percentages
    "aggregate": 4,
    "adaptation_rate": 2,
    "infinite_width": 1,
    "power_laws": 2,
    "transition": 1,
    "ends": 1,
    "comparison": 1,
    "gallery": 1,
    **{f"figure_{number}": 1 for number in range(1, 11)},
}
# Run only when requested by name, or for configs of their own.
ON_REQUEST = ("archive", "restore", "neural_tangents", "verify", "robustness", "variance_components")


def test_fresh_repository_needs_every_job(repository):
    assert repository.jobs() == JOBS


@pytest.mark.parametrize("number", range(1, 11))
def test_figures_are_made(finished, number):
    stem = f"results/smoke/figures/figure-{number}"
    assert (finished / f"{stem}.pdf").read_bytes().startswith(b"%PDF")
    assert (finished / f"{stem}.png").read_bytes().startswith(b"\x89PNG")
    content = json.loads((finished / f"{stem}.json").read_text(encoding="utf-8"))
    assert content["figure"] == str(number)
    assert all(len(series["x"]) > 1 for panel in content["panels"] for series in panel["series"])


def test_report_shows_every_figure_as_a_png_with_its_labels(finished, tmp_path):
    report = tmp_path / "report.html"
    result = finished.snakemake("--report", str(report))
    assert result.returncode == 0, result.stderr
    page = report.read_text(encoding="utf-8")
    labels = re.findall(r'"labels": \{"figure": "( ?\d+)", "shows": "[^"]{20,}"\}', page)
    assert sorted(labels) == [f"{number:2}" for number in range(1, 11)]
    kinds = re.findall(r'"mime_type": "([^"]+)"', page)
    assert kinds.count("image/png") == 10
    assert "application/pdf" not in kinds
    assert "rebuilt by ntk-lens from the config" in page


def test_second_call_does_nothing(finished):
    assert finished.jobs() == {}


def test_single_figure_needs_only_its_own_jobs(repository):
    jobs = repository.jobs("figure_3")
    assert jobs["train"] == 6
    assert {"figure_1", "figure_2"}.isdisjoint(jobs)
    jobs = repository.jobs("figure_7")
    assert jobs["train"] == 4
    assert {"figure_4", "calibrate"}.isdisjoint(jobs)


def test_every_job_has_a_log_and_a_benchmark(finished):
    logs = list((finished / "results").rglob("*.log"))
    benchmarks = list((finished / "results").rglob("*.tsv"))
    assert len(logs) == len(benchmarks) == sum(JOBS.values())


def test_every_rule_has_log_benchmark_environment_and_threads(finished):
    texts = [path.read_text(encoding="utf-8") for path in sorted((finished / "workflow/rules").glob("*.smk"))]
    blocks = [block for text in texts for block in re.split(r"^ *rule ?\w*:$", text, flags=re.MULTILINE)[1:]]
    figures = {name for name in JOBS if name.startswith("figure_")}  # one rule in a loop makes them all
    assert len(blocks) == len(JOBS) - len(figures) + 1 + len(ON_REQUEST)
    for block in blocks:
        for directive in ("log:", "benchmark:", "conda:", "threads: 1\n", "code=code"):
            assert directive in block, block


def test_training_reports_progress_and_outcome(finished):
    log = finished / "results/smoke/logs/train/model-scaling-digits-three-layer-width-16-seeds-0-1.log"
    assert "seed 0: ok, least test loss" in log.read_text(encoding="utf-8")


def test_run_file_carries_its_provenance(finished):
    with h5py.File(finished / RUN) as file:
        attributes = dict(file.attrs)
    settings = json.loads(attributes["settings"])
    assert settings["scale"] == 16
    assert settings["network"]["width"] == 16
    assert json.loads(attributes["seeds"]) == [0, 1]
    assert attributes["ntk_rows"] == 160
    assert attributes["dtype"] == "float32"
    assert attributes["device"]
    assert len(attributes["settings_sha256"]) == 64
    assert "jax" in json.loads(attributes["versions"])
    assert json.loads(attributes["code_roots"]) == ["train.py", "ntklens.training.full_batch"]
    assert len(attributes["code_sha256"]) == 64
    inputs = json.loads(attributes["inputs"])
    assert set(inputs) == {
        "results/smoke/subsets/digits.h5",
        "results/smoke/learning-rates/model-scaling/digits/three-layer.json",
    }


def test_run_file_can_be_inspected(finished):
    result = finished.run("python", "-m", "ntklens", "inspect", RUN, PYTHONPATH="workflow")
    assert result.returncode == 0, result.stderr
    for text in ("seed-0000", "160", "ok", "settings", "eigenvalues"):
        assert text in result.stdout


def test_calibration_writes_its_trials(finished):
    path = finished / "results/smoke/learning-rates/model-scaling/digits/three-layer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    assert {trial["scale"] for trial in content["trials"]} == {8, 32}
    assert all(len(trial["epochs"]) == 2 for trial in content["trials"])
    # Narrow and wide networks have trainers of their own.
    trainers = ["ntklens.training.full_batch", "ntklens.training.full_batch_on_grid"]
    assert content["provenance"]["code_roots"] == ["calibrate.py", *trainers]
    rates = list(content["rates"].values())
    assert rates[0] > rates[1]  # wider networks need smaller rates


def test_other_config_leaves_these_results_alone(finished):
    jobs = finished.jobs(config="config/paper.yaml")
    # Of 20 seeds, between 20 and 1 share a job, by width; between 20 and 4, by data size.
    scaling = 3 * 2 * (6 + 2 + 4 + 10 + 20) + 2 * (7 + 2 + 4 + 5) + (4 + 2 + 4 + 5)
    assert jobs["train"] == scaling + 2 * 5
