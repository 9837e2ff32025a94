"""config/README.md says which rules a changed key runs again: those whose settings it changes."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from ntklens.planning.config import Config, load
from ntklens.planning.config.documentation import README
from ntklens.planning.settings import (
    analysis_settings,
    averaging_settings,
    calibration_settings,
    comparison_settings,
    infinite_width_settings,
    subset_settings,
    training_settings,
)

from tests.support.small_config import BY_WIDTH, changed, small

FITS = ("adaptation_rate", "power_laws", "transition", "ends")
# Rule -> its settings, of which Snakemake keeps the text.
SETTINGS: dict[str, Callable[[Config], Any]] = {
    "subsample": lambda config: subset_settings(config, "digits"),
    "calibrate": lambda config: calibration_settings(config, BY_WIDTH),
    "train": lambda config: training_settings(config, BY_WIDTH, 8),
    "infinite_width": lambda config: infinite_width_settings(config, BY_WIDTH),
    "aggregate": lambda config: averaging_settings(config, BY_WIDTH),
    **dict.fromkeys(FITS, lambda config: analysis_settings(config, BY_WIDTH)),
    "comparison": comparison_settings,
}
AFTER = {
    "train": {"aggregate", *FITS, "comparison"},
    "infinite_width": {*FITS, "comparison"},
    "aggregate": {*FITS, "comparison"},
}
VALUES = {
    "test_samples": 400,
    "split_seed": 1,
    "training.window": {"first": 100, "last": 300},
    "training.patience": 1.5,
    "training.max_epochs": 1500,
    "training.test_every": 8,
    "optimizer.b1": 0.8,
    "optimizer.b2": 0.99,
    "optimizer.eps": 1e-6,
    "calibration.seeds": 4,
    "calibration.tolerance": 1.4,
    "calibration.share_inside": 0.7,
    "calibration.max_trials": 9,
    "calibration.first_rate": 0.01,
    "ntk_samples": 64,
    "training.trace_every": 4,
    "training.spectrum_epochs": [0, 10],
    "training.save_parameters": 2,
    "ensemble.seeds": 6,
    "ensemble.min_members": 2,
    "analysis.smoothing_epochs": 12,
    "analysis.resamples": 500,
    "figures.dataset": "digits",
    "figures.model_scaling_network": "four-layer",
    "device": "gpu",
    "jobs_per_gpu": 2,
    "data_dir": "elsewhere",
    "checkpoint_seconds": 5.0,
    "keep_runs": True,
}


def rows() -> dict[str, str]:
    """Key -> the rules that run again, in the words of the page."""
    text = README.read_text(encoding="utf-8")
    (table,) = re.findall(r"^\| changed key \|.*\n\|---\|---\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    cells = [line.strip("| ").split(" | ") for line in table.splitlines()]
    return {key: rules for keys, rules in cells for key in re.findall(r"`([\w.]+)`", keys)}


def test_page_has_a_row_for_every_key_that_is_tested() -> None:
    assert set(rows()) == set(VALUES)


@pytest.mark.parametrize("key", VALUES)
def test_key_changes_the_settings_of_the_rules_that_the_page_names(key: str) -> None:
    before, after = load(small()), load(changed(tuple(key.split(".")), VALUES[key]))
    assert after != before
    said, _, not_again = rows()[key].partition("; not ")
    named = set(re.findall(r"`(\w+)`", said)) - ({"train"} if "for the new seeds" in said else set())
    expected = named.union(*(AFTER.get(rule, set()) for rule in named))
    assert {rule for rule, of in SETTINGS.items() if of(before) != of(after)} == expected
    assert not set(re.findall(r"`(\w+)`", not_again)) & expected
