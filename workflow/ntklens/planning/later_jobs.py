"""The jobs after training, which the cost model does not price: averages, fits, figures and tables.

Each takes seconds. They are counted so that an estimate and Snakemake's dry run have as many jobs.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ntklens.planning import paths
from ntklens.planning.config import Config
from ntklens.planning.curves import curves
from ntklens.planning.settings import comparison_settings, infinite_width_settings, variance_settings
from ntklens.storage.curve import Curve

AVERAGING = "aggregate"
FITTING = ("adaptation_rate", "power_laws", "transition", "ends")  # one file for each curve
WITH_CLOSED_FORMS = ("power_laws", "transition")  # take those of infinite width where there are any


class LaterJobs(NamedTuple):
    """Rule -> number of its jobs, if nothing has been made yet."""

    whole: Counter[str]  # of everything that `snakemake` makes
    of_figures: Mapping[str, Counter[str]]  # of one figure alone, by its key


def later_jobs(config: Config, figures: Mapping[str, Sequence[str]]) -> LaterJobs:
    """The jobs after training. ``figures`` maps the key of each figure to the files that it needs."""
    made = _made_by(config)
    needed = {key: _closure(config, [made[file] for file in files]) for key, files in figures.items()}
    once = {
        "comparison": bool(comparison_settings(config).curves),
        "variance_components": bool(variance_settings(config).groups),
        "gallery": bool(figures),
        "all": True,
    }
    compared = [(AVERAGING, own.analysis.curve) for own in comparison_settings(config).curves]
    averaged = [(AVERAGING, curve) for curve in curves(config)] if figures else compared
    return LaterJobs(
        _counted({*averaged}.union(*needed.values())) + Counter(once) + Counter(map(_rule, figures)),
        {key: _counted(own) + Counter([_rule(key)]) for key, own in needed.items()},
    )


def _made_by(config: Config) -> dict[str, tuple[str, Curve]]:
    """File -> the rule that makes it, and its curve."""
    patterns = {AVERAGING: paths.averages(config.name)}
    patterns |= {rule: paths.fit(config.name, rule.replace("_", "-")) for rule in FITTING}
    return {
        pattern.format(**curve._asdict()): (rule, curve)
        for rule, pattern in patterns.items()
        for curve in curves(config)
    }


def _closure(config: Config, makers: Iterable[tuple[str, Curve]]) -> set[tuple[str, Curve]]:
    """``makers`` with the jobs after training whose files they take."""
    found = set(makers)
    for rule, curve in tuple(found):
        found.add((AVERAGING, curve))
        if rule in WITH_CLOSED_FORMS and infinite_width_settings(config, curve) is not None:
            found.add(("infinite_width", curve))
    return found


def _counted(jobs: Iterable[tuple[str, Curve]]) -> Counter[str]:
    return Counter(rule for rule, _ in jobs)


def _rule(key: str) -> str:
    return "figure_" + key.replace("-", "_")
