"""The jobs that `make estimate` counts."""

from collections import Counter
from pathlib import Path

import yaml
from ntklens.costs.units import read_unit_costs
from ntklens.figures.catalogue import figures_of
from ntklens.planning.config import load
from ntklens.planning.estimate import jobs_for, jobs_of
from ntklens.planning.later_jobs import later_jobs


def estimated_jobs(path: Path, key: str | None = None) -> Counter[str]:
    """Rule -> jobs of the config at ``path``, or of its figure ``key`` alone."""
    config = load(yaml.safe_load(path.read_text(encoding="utf-8")))
    figures = figures_of(config)
    later = later_jobs(config, {one: figure.files(config.name) for one, figure in figures.items()})
    jobs = jobs_of(config, read_unit_costs())
    priced = jobs if key is None else jobs_for(jobs, figures[key].curves)
    return Counter(job.rule for job in priced) + (later.of_figures[key] if key else later.whole)
