"""The settings of every job: the part of a config that determines its output, and nothing else.

Snakemake keeps these settings and runs a job again when its settings have changed.
"""

from dataclasses import replace

from ntklens.analysis.settings import (
    AnalysisSettings,
    AveragingSettings,
    ComparedCurve,
    ComparisonSettings,
    CurvesOfDraws,
    InfiniteWidthSettings,
    VarianceSettings,
)
from ntklens.data.registry import is_modified, title
from ntklens.data.settings import SplitSettings
from ntklens.planning.config import Config
from ntklens.planning.config.points import spectrum_epochs_of
from ntklens.planning.curves import (
    axis_of,
    curves,
    entry_of,
    follows_minimum,
    learning_rate_of,
    point_name,
    point_of,
    scales,
    seeds_of,
)
from ntklens.storage.curve import Curve
from ntklens.storage.settings import settings_sha256
from ntklens.studies.catalogue import HEADINGS, MODEL_SCALING
from ntklens.studies.entries import ConfigRecipe, StudyEntry
from ntklens.studies.jobs import CalibrationSettings, ScaledPoint, TrainingSettings
from ntklens.studies.recipes import Measurement, Recipe
from ntklens.training.optimisers import Optimiser, Sgd
from ntklens.training.schedules import Stop, geometric_middle


def target_epoch(config: Config) -> float:
    """The geometric middle of the window, at which calibration aims for the minimum."""
    return geometric_middle(config.training.window.first, config.training.window.last)


def subset_settings(config: Config, dataset: str) -> SplitSettings:
    """How ``dataset`` is split."""
    return SplitSettings(dataset, config.test_samples, config.split_seed, folder_of_modified(config, dataset))


def folder_of_modified(config: Config, dataset: str) -> str | None:
    """The folder that ``dataset`` comes from if it is modified data, which the folder alone identifies."""
    return config.data_dir if is_modified(dataset) else None


def _subset_of(config: Config, curve: Curve) -> str:
    return settings_sha256(subset_settings(config, curve.dataset))


def recipe_settings(config: Config, curve: Curve) -> Recipe:
    """How the members of ``curve`` are trained."""
    entry, training = entry_of(config, curve), config.training
    recipe = entry.recipe
    if recipe.epochs is None:
        stop = Stop(training.window.first, training.window.last, training.patience, training.max_epochs)
    else:
        stop = Stop.fixed(recipe.epochs)
    return Recipe(
        optimiser=_optimiser(config, recipe),
        batch_size=recipe.batch_size,
        learning_rate=learning_rate_of(config, curve),
        stop=stop,
        evaluate_every=recipe.evaluate_every if recipe.batch_size else training.test_every,
        vary=entry.vary,
        rate_factor=entry.rate_factor,
    )


def _optimiser(config: Config, recipe: ConfigRecipe) -> Optimiser:
    return config.optimizer.settings() if recipe.optimizer == "adam" else Sgd(recipe.momentum)


def measurement_settings(config: Config, curve: Curve) -> Measurement:
    """What is measured of the members of ``curve``."""
    entry, training = entry_of(config, curve), config.training
    minimum = follows_minimum(config, curve)
    return Measurement(
        ntk_samples=entry.ntk_samples or config.ntk_samples,
        ntk_draws=entry.ntk_draws,
        trace_every=training.trace_every if minimum else 0,
        spectrum_epochs=spectrum_epochs_of(entry, training.spectrum_epochs),
        alignments=minimum and entry.recipe.batch_size is None,
        minimum=minimum,
        save_parameters=training.save_parameters if minimum else 0,
    )


def training_settings(config: Config, curve: Curve, scale: int) -> TrainingSettings:
    """Everything that determines a run file, except its seeds and inputs."""
    point = point_of(config, curve, scale)
    calibrated = learning_rate_of(config, curve) is None
    return TrainingSettings(
        curve=curve,
        scale=scale,
        subset=_subset_of(config, curve),
        learning_rates=settings_sha256(calibration_settings(config, curve)) if calibrated else None,
        network=point.network,
        data=point.data,
        recipe=recipe_settings(config, curve),
        measurement=measurement_settings(config, curve),
    )


def calibration_settings(config: Config, curve: Curve) -> CalibrationSettings:
    """Everything that determines the learning rates of ``curve``, except its subset."""
    recipe, training, calibration = recipe_settings(config, curve), config.training, config.calibration
    points = []
    for scale in sorted(entry_of(config, curve).calibrate_at):
        point = point_of(config, curve, scale)
        points.append(ScaledPoint(network=point.network, data=point.data, scale=scale))
    # Trials may stop at the window's first epoch.
    stop = replace(recipe.stop, window_last=training.window.first)
    return CalibrationSettings(
        curve=curve,
        subset=_subset_of(config, curve),
        points=tuple(points),
        recipe=replace(recipe, stop=stop, rate_factor=1.0),
        window=(training.window.first, training.window.last),
        seeds=calibration.seeds,
        tolerance=calibration.tolerance,
        share_inside=calibration.share_inside,
        max_trials=calibration.max_trials,
        first_rate=calibration.first_rate,
    )


def averaging_settings(config: Config, curve: Curve) -> AveragingSettings:
    """How the run files of ``curve`` are averaged."""
    entry = entry_of(config, curve)
    points = {point_name(config, curve, scale): scale for scale in scales(config, curve)}
    return AveragingSettings(
        curve=curve,
        points=points,
        runs={
            point: settings_sha256(training_settings(config, curve, scale)) for point, scale in points.items()
        },
        seeds=seeds_of(config, curve),
        min_members=entry.min_members or config.ensemble.min_members,
        window=config.training.window.settings() if follows_minimum(config, curve) else None,
    )


def analysis_settings(config: Config, curve: Curve) -> AnalysisSettings:
    """How numbers and intervals are made from the averages of ``curve``."""
    infinite_width = infinite_width_settings(config, curve)
    return AnalysisSettings(
        curve=curve,
        averages=settings_sha256(averaging_settings(config, curve)),
        infinite_width=settings_sha256(infinite_width) if infinite_width else None,
        smoothing_epochs=config.smoothing_epochs,
        resamples=config.analysis.resamples,
    )


def infinite_width_settings(config: Config, curve: Curve) -> InfiniteWidthSettings | None:
    """What the closed forms need of ``curve``; None for a curve that they do not describe.

    They are those of dense networks of growing width with the initialisation of the scaling studies, in the
    standard parametrisation and with biases.
    """
    network = config.networks[curve.network]
    closed = (network.convolutions, network.initialisation, network.parametrisation, network.biases)
    if axis_of(config, curve).name != "width" or closed != (0, "lecun-normal", "standard", True):
        return None
    samples = entry_of(config, curve).ntk_samples or config.ntk_samples
    image_size = point_of(config, curve, scales(config, curve)[0]).data.image_size
    subset = _subset_of(config, curve)
    return InfiniteWidthSettings(curve, subset, network.hidden_layers, samples, image_size)


def comparison_settings(config: Config) -> ComparisonSettings:
    """The curves of the paper's studies, on whose results its claims are judged."""
    return ComparisonSettings(
        name=config.name,
        curves=tuple(_compared(config, curve) for study in HEADINGS for curve in curves(config, study)),
    )


def _compared(config: Config, curve: Curve) -> ComparedCurve:
    network = config.model_scaling_network
    return ComparedCurve(
        analysis=analysis_settings(config, curve),
        hidden_layers=config.networks[curve.network].hidden_layers,
        title=f"{HEADINGS[curve.study]}, {title(curve.dataset)}, {curve.network}",
        in_figure_2=curve.study != MODEL_SCALING or curve.network == network,
    )


def variance_settings(config: Config) -> VarianceSettings:
    """The curves that differ in their training draw alone: groups of at least two.

    Their seeds vary in the initialisation, and start from the same parameters on every draw.
    """
    groups: dict[tuple[StudyEntry, str], dict[int, Curve]] = {}
    for curve in curves(config):
        entry = entry_of(config, curve)
        if entry.vary == "initialisation" and follows_minimum(config, curve):
            shared = replace(entry, draw_seed=0, networks=())
            groups.setdefault((shared, curve.network), {}).setdefault(entry.draw_seed, curve)
    return VarianceSettings(
        groups=tuple(_of_draws(config, tuple(own.values())) for own in groups.values() if len(own) > 1),
        simulations=config.analysis.resamples,
    )


def _of_draws(config: Config, own: tuple[Curve, ...]) -> CurvesOfDraws:
    _, dataset, network = own[0]
    draws = tuple(averaging_settings(config, curve) for curve in own)
    return CurvesOfDraws(f"{title(dataset)}, {network}", draws)
