"""Print what a config costs before it runs: core-hours, memory and disk, and what to ask a cluster for."""

import argparse
import sys
from pathlib import Path

import yaml
from ntklens.costs.units import UNIT_COSTS, read_unit_costs
from ntklens.data.errors import DatasetError
from ntklens.figures.catalogue import figures_of
from ntklens.planning import estimate
from ntklens.planning.config import ConfigError, complete
from ntklens.storage.files import write_json

ROOT = Path(__file__).resolve().parents[2]


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default=ROOT / "config/paper.yaml", type=Path)
    parser.add_argument("--unit-costs", default=UNIT_COSTS, type=Path)
    parser.add_argument("--json", metavar="FILE", help="write the numbers there too, in seconds and bytes")
    args = parser.parse_args(argv)
    try:
        config = complete(yaml.safe_load(args.config.read_text()))
        units = read_unit_costs(args.unit_costs)
        jobs = estimate.jobs_of(config, units)
    except (ConfigError, DatasetError, OSError) as error:
        sys.exit(f"estimate: {error}")
    figures = {key: figure.curves for key, figure in figures_of(config).items()}
    print(estimate.report(config, jobs, figures, units))
    if args.json:
        write_json(args.json, estimate.as_json(config, jobs, figures, units))


if __name__ == "__main__":
    main()
