"""`make variance`: the jobs of the table of variance components, which other configs do not have."""

import pytest
import yaml

CONFIG = "config/variance.yaml"
DRAWS, WIDTHS = 8, 3


def test_the_table_needs_the_runs_of_every_draw_and_no_figure(repository):
    assert repository.jobs("--", "variance_components", config=CONFIG) == {
        "fetch": 1,
        "subsample": 1,
        "calibrate": DRAWS,
        "train": DRAWS * WIDTHS,
        "variance_components": 1,
    }


def test_make_variance_asks_for_the_table(repository):
    result = repository.run("make", "--no-print-directory", "-n", "variance")
    assert f"--configfile {CONFIG}" in result.stdout
    assert "/snakemake variance_components " in result.stdout


@pytest.mark.parametrize("config", ["config/smoke.yaml", "config/config.yaml", "config/reduced.yaml"])
def test_other_configs_do_not_make_the_table(repository, config):
    assert "variance_components" not in repository.jobs(config=config)


def test_a_second_draw_of_a_study_makes_the_table_part_of_all(repository):
    path = repository / "config/smoke.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    own = {"axis": "width", "dataset": "digits", "networks": ["three-layer"], "scales": [8, 16]}
    own |= {"calibrate_at": [8, 16], "train_samples": 60}
    config["studies"] = {"first": [own], "second": [{**own, "draw_seed": 1}]}
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    assert repository.jobs()["variance_components"] == 1
