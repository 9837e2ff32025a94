"""`snakemake verify`: its jobs, the numbers in its table, and its message without neural-tangents."""

import csv
import json
from pathlib import Path

import pytest

ORACLE = Path(__file__).resolve().parents[2] / ".venv-oracle"
TABLE = "results/smoke/tables/verification"
# The first batch of seeds at 3 widths and 3 sizes, which are all points of this small config.
KERNELS = 6


def test_fresh_repository_trains_what_is_verified_and_no_more(repository):
    assert repository.jobs("verify") == {
        "fetch": 1,
        "subsample": 1,
        "calibrate": 2,
        "train": KERNELS,
        "neural_tangents": KERNELS,
        "verify": 1,
    }


def test_finished_repository_trains_nothing(finished):
    assert finished.jobs("verify") == {"neural_tangents": KERNELS, "verify": 1}


def test_without_neural_tangents_it_says_what_to_do(edited):
    result = edited.snakemake("--", "verify")
    assert result.returncode != 0
    assert "neural-tangents is not set up: run make oracle" in result.stdout + result.stderr
    assert not (edited / f"{TABLE}.csv").exists()


def test_every_network_agrees_with_neural_tangents(edited):
    if not (ORACLE / "ready").exists():
        pytest.skip("neural-tangents is not set up: run `make oracle`")
    (edited / ".venv-oracle").symlink_to(ORACLE)
    result = edited.snakemake("--", "verify")
    assert result.returncode == 0, result.stdout + result.stderr
    with (edited / f"{TABLE}.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = {(row["study"], row["dataset"], row["network"], row["point"], row["seed"]) for row in rows}
    assert names == {
        *(("model-scaling", "digits", "three-layer", f"width-{width}", "0") for width in (8, 16, 32)),
        *(("data-scaling", "digits", "four-layer", f"size-{size}", "0") for size in (60, 120, 240)),
    }
    differences = [float(value) for row in rows for name, value in row.items() if "difference" in name]
    assert len(differences) == 5 * KERNELS
    assert 0 < max(differences) < 1e-5
    provenance = json.loads((edited / f"{TABLE}.json").read_text(encoding="utf-8"))["provenance"]
    assert provenance["versions"]["neural-tangents"] == "0.6.5"
    assert len(provenance["inputs"]) == KERNELS + 1
    assert edited.jobs("verify") == {}
