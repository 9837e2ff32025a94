"""All that planning makes of a config before Snakemake asks for it, built at once."""

import re

from ntklens.figures.catalogue import figures_of, settings_of_figure
from ntklens.planning import settings
from ntklens.planning.curves import curves, learning_rate_of, scales
from ntklens.planning.feasibility import check_feasible
from ntklens.planning.requests import Requests
from ntklens.planning.robustness import robustness_settings
from ntklens.planning.targets import targets_of
from ntklens.storage.settings import as_json


def plan(config):
    """The settings of the jobs of ``config`` as JSON, after all checks. Raises what any of them raises.

    Of points along a curve, those at its ends stand for all.
    """
    check_feasible(config)
    for pattern in targets_of(config):
        re.compile(f"(?P<name>{pattern})$")
    requests, made = Requests(config, gpus=0), []
    for curve in curves(config):
        if learning_rate_of(config, curve) is None:
            made.append(settings.calibration_settings(config, curve))
        ends = scales(config, curve)[0], scales(config, curve)[-1]
        made += [settings.training_settings(config, curve, scale) for scale in ends]
        made += [settings.averaging_settings(config, curve), settings.analysis_settings(config, curve)]
        made += [settings.infinite_width_settings(config, curve)]
        requests.memory_mb(curve, ends[-1], 1)
    figures = figures_of(config)
    made += [settings_of_figure(config, figure) for figure in figures.values()]
    for figure in figures.values():
        assert figure.files(config.name)
    made += [settings.subset_settings(config, "digits"), settings.comparison_settings(config)]
    made += [settings.variance_settings(config), robustness_settings(config)]
    return [as_json(own) for own in made if own is not None]
