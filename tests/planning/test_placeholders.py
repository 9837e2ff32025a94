"""Placeholders of the SLURM profile are found, wherever they stand and however Snakemake wraps them."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from ntklens.planning.placeholders import PLACEHOLDERS, placeholder_message

PROFILE = Path(__file__).parents[2] / "profiles/slurm/config.yaml"


def test_placeholders_are_those_of_the_profile() -> None:
    profile = yaml.safe_load(PROFILE.read_text(encoding="utf-8"))
    requests = [profile["default-resources"], *profile["set-resources"].values()]
    values = {value for own in requests for value in own.values() if str(value).startswith("my-")}
    assert values == set(PLACEHOLDERS)
    assert placeholder_message(requests) == (
        "slurm_account is still my-account: edit the places marked EDIT in profiles/slurm/config.yaml; on a "
        "cluster without accounting, delete this line"
    )


@pytest.mark.parametrize(
    "value", ["my-cpu-partition", "'my-cpu-partition'", SimpleNamespace(raw="my-cpu-partition")]
)
def test_partition_is_named(value: object) -> None:
    message = placeholder_message([{"mem_mb": 4000}, {"runtime": None, "slurm_partition": value}])
    assert message == (
        "slurm_partition is still my-cpu-partition: edit the places marked EDIT in profiles/slurm/config.yaml"
    )


def test_nothing_is_said_of_an_edited_profile() -> None:
    assert placeholder_message([]) is None
    assert placeholder_message([{"slurm_account": "physics", "slurm_partition": "my-partition"}, {}]) is None
