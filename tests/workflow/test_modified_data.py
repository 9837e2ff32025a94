"""Modified data, which no checksum identifies, are fetched again from another folder and if files change."""

import os

import pytest
import yaml

MODIFIED, ORIGINAL = (f"results/datasets/{name}.h5" for name in ("mnist-modified", "mnist"))
FILES = [f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]
LONG_AGO = 1_000_000_000  # seconds


@pytest.fixture
def fetched(repository):
    """A repository in which files stand for two datasets that were fetched from the folder `one`."""
    config = yaml.safe_load((repository / "config/smoke.yaml").read_text(encoding="utf-8"))
    config["data_dir"] = "one"
    config["studies"] = {
        "data-scaling": [
            {"dataset": name, "networks": ["four-layer"], "sizes": [30, 60], "calibrate_at": [30, 60]}
            for name in ("mnist-modified", "mnist")
        ]
    }
    (repository / "config/smoke.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    for folder in ("one", "it's other"):
        (repository / folder).mkdir()
        for name in FILES:
            (repository / folder / name).touch()
            os.utime(repository / folder / name, (LONG_AGO, LONG_AGO))
    for name in (MODIFIED, ORIGINAL):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).touch()
    touched = repository.snakemake("--cores", "1", "--touch", "--", MODIFIED, ORIGINAL)
    assert touched.returncode == 0, touched.stdout + touched.stderr
    return repository


def test_only_modified_data_follow_their_folder_and_its_files(fetched):
    targets = ("--", MODIFIED, ORIGINAL)
    assert fetched.jobs(*targets) == {}
    plan = fetched.snakemake("-n", "-p", "--config", "data_dir=it's other", *targets)
    assert plan.returncode == 0, plan.stdout + plan.stderr
    assert f"output: {MODIFIED}" in plan.stdout + plan.stderr
    assert f"output: {ORIGINAL}" not in plan.stdout + plan.stderr
    assert """--data-dir='it'"'"'s other'""" in plan.stdout + plan.stderr
    (fetched / "one" / FILES[0]).write_text("changed", encoding="utf-8")
    assert fetched.jobs(*targets) == {"fetch": 1}
