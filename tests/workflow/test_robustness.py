"""`snakemake robustness`: its jobs, and its table of the smoke config."""

import csv

import yaml

TABLE = "results/smoke/tables/robustness"
OWN = {
    "dataset": "digits",
    "axis": "width",
    "networks": ["three-layer"],
    "train_samples": 60,
    "scales": [8, 16, 32],
    "calibrate_at": [8, 32],
    "image_size": 12,
    "image_fit": "zero-padded",
    "rate_factor": 2,
    "test_samples": 48,
}


def add_study(repository):
    path = repository / "config/smoke.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    config["studies"]["large-images"] = [OWN]
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def test_fresh_repository_trains_what_is_compared_and_no_more(repository):
    add_study(repository)
    jobs = repository.jobs("robustness")
    assert jobs == {
        "fetch": 1,
        "subsample": 1,
        "calibrate": 2,
        "train": 6 + 3,  # three widths in batches of two seeds and of one; and three widths in one batch
        "aggregate": 2,
        "robustness": 1,
    }


def test_it_is_no_part_of_all(repository):
    assert "robustness" not in repository.jobs()


def test_finished_repository_makes_the_table_alone(finished):
    assert finished.jobs("robustness") == {"robustness": 1}


def test_without_model_scaling_it_says_so(repository):
    path = repository / "config/smoke.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    del config["studies"]["model-scaling"]
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    result = repository.snakemake("--", "robustness")
    assert result.returncode != 0
    log = (repository / "results/smoke/logs/tables/robustness.log").read_text(encoding="utf-8")
    assert "the config has no study model-scaling to compare others with" in log


def test_table_sets_a_study_beside_the_baseline(edited):
    add_study(edited)
    result = edited.snakemake("--", "robustness")
    assert result.returncode == 0, result.stdout + result.stderr
    with (edited / f"{TABLE}.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    own = {line["number"]: line for line in lines if line["variation"] == "Large images"}
    assert own["slope of L_test"]["beside the baseline"] in ("overlaps", "differs")
    assert own["m_Γ"]["why not"] == "there are fewer than 4 scales"
    raw = {line["number"]: line for line in lines if "not normalised" in line["variation"]}
    normalised = {line["number"]: line for line in lines if line["variation"] == "as the config has it"}
    assert float(raw["Γ at the widest"]["ours"]) < float(normalised["Γ at the widest"]["ours"])
    assert raw["m_β"]["beside the baseline"] == "unchanged"
    assert "## digits, three-layer" in (edited / f"{TABLE}.md").read_text(encoding="utf-8")
