"""Estimate what a config costs before it runs: core-hours, memory, disk, and requests to a cluster."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ntklens.costs.units import UNIT_COSTS, read_unit_costs
from ntklens.data.errors import DatasetError
from ntklens.figures.catalogue import figures_of
from ntklens.machine.terminal import show
from ntklens.planning import estimate
from ntklens.planning.config import ConfigError, load
from ntklens.planning.config.files import read_file
from ntklens.planning.feasibility import check_feasible
from ntklens.planning.later_jobs import later_jobs
from ntklens.storage.errors import FileError
from ntklens.storage.files import write_json

ROOT = Path(__file__).resolve().parents[2]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default=ROOT / "config/paper.yaml", type=Path)
    parser.add_argument("--unit-costs", default=UNIT_COSTS, type=Path)
    parser.add_argument("--json", metavar="FILE", help="also write the numbers to FILE, in seconds and bytes")
    args = parser.parse_args(argv)
    try:
        config = load(read_file(args.config))
        check_feasible(config)
        units = read_unit_costs(args.unit_costs)
        jobs = estimate.jobs_of(config, units)
    except (ConfigError, DatasetError, FileError, OSError) as error:
        sys.exit(f"estimate: {error}")
    figures = figures_of(config)
    later = later_jobs(config, {key: figure.files(config.name) for key, figure in figures.items()})
    shown = {key: figure.curves for key, figure in figures.items()}
    show(estimate.report(config, jobs, later, shown, units))
    if args.json:
        try:
            write_json(args.json, estimate.as_json(config, jobs, later, shown, units))
        except OSError as error:
            sys.exit(f"estimate: {error}")


if __name__ == "__main__":
    main()
