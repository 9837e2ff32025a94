"""Checks that a config's work fits into a machine and into one workflow, from the cost model.

What merely takes long is not refused. Costs grow with the scale, so the largest scale of a curve decides.
"""

import math

from ntklens.costs.units import UnitCosts, read_unit_costs
from ntklens.data.errors import DatasetError
from ntklens.planning.config import Config, ConfigError
from ntklens.planning.config.points import dataset_name
from ntklens.planning.curves import curves, learning_rate_of, point_name, scales, seeds_of, seeds_per_job
from ntklens.planning.requests import price_of
from ntklens.storage.curve import Curve

LARGEST_MACHINE = 32e12  # bytes: no machine has more memory
MOST_RUN_FILES = 100_000  # Snakemake takes a millisecond to plan each


def check_feasible(config: Config) -> None:
    """Raise ConfigError for a study with too many run files, or whose jobs no machine can hold."""
    units, files = read_unit_costs(), 0
    for curve in curves(config):
        key = _key_of(config, curve)
        files += _run_files(config, curve)
        if files > MOST_RUN_FILES:
            raise ConfigError(
                f"config key '{key}': with its run files the config has {files}, more than {MOST_RUN_FILES}; "
                "take fewer scales or seeds, or more seeds_per_job"
            )
        what, memory = _largest_job(config, units, curve)
        if memory > LARGEST_MACHINE:
            raise ConfigError(
                f"config key '{key}': {what} takes {memory / 1e12:.3g} TB of memory, more than any machine"
            )


def _key_of(config: Config, curve: Curve) -> str:
    """The key of the entry that ``curve`` belongs to."""
    entries = config.entries[curve.study]
    index = next(
        index
        for index, entry in enumerate(entries)
        if dataset_name(entry.dataset) == curve.dataset and curve.network in entry.networks
    )
    return f"studies.{curve.study}[{index}]"


def _run_files(config: Config, curve: Curve) -> int:
    seeds = seeds_of(config, curve)
    return sum(math.ceil(seeds / seeds_per_job(config, curve, scale)) for scale in scales(config, curve))


def _largest_job(config: Config, units: UnitCosts, curve: Curve) -> tuple[str, float]:
    """The job of ``curve`` that takes most memory, and its bytes; 0 if the data cannot be read."""
    largest = scales(config, curve)[-1]
    seeds = min(seeds_of(config, curve), seeds_per_job(config, curve, largest))
    where = f"{curve.network} at {point_name(config, curve, largest)}"
    job = f"a job that trains {where} ({seeds} {'seed' if seeds == 1 else 'seeds'})"
    try:
        found = {job: price_of(config, units, curve, largest, range(seeds)).memory}
        if learning_rate_of(config, curve) is None:
            found[f"calibration of {curve.network}"] = price_of(config, units, curve).memory
    except (OSError, DatasetError):
        return "", 0.0
    return max(found.items(), key=lambda job: job[1])
