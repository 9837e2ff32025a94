"""Checks that epochs fit each other: of the window, of stopping, of measurements and of smoothing."""

from ntklens.planning.config.checked_entry import CheckedEntry
from ntklens.planning.config.messages import require
from ntklens.planning.config.papers_studies import NoiseScalingEntry
from ntklens.planning.config.top import Config
from ntklens.planning.config.training import RecipeSection
from ntklens.training.schedules import Stop, geometric_middle


def check_schedule(config: Config) -> None:
    """Raise ConfigError where the epochs of training, measuring and smoothing do not fit each other."""
    training, window = config.training, config.training.window
    epochs = training.spectrum_epochs
    require(
        window.first < window.last,
        "training.window",
        f"first ({window.first}) must come before last ({window.last})",
    )
    require(
        window.last < training.max_epochs,
        "training.max_epochs",
        f"{training.max_epochs} must be more than the window's last epoch, {window.last}",
    )
    require(
        _ascend_from_0(epochs) and epochs[-1] <= window.last,
        "training.spectrum_epochs",
        f"must ascend from 0 to at most the window's last epoch, {window.last}",
    )
    require(
        training.test_every <= window.last,
        "training.test_every",
        f"{training.test_every} must not exceed the window's last epoch, {window.last}",
    )
    middle = geometric_middle(window.first, window.last)
    require(
        training.patience * middle <= training.max_epochs,
        _given(config, "training.patience", "training.max_epochs", "training.window"),
        f"a patience of {training.patience:g} times the window's middle, epoch {middle:.0f}, is beyond "
        f"max_epochs, {training.max_epochs}: no seed could finish",
    )
    _check_smoothing(config)
    for name, recipe in config.recipes.items():
        _check_evaluations(f"recipes.{name}", recipe, recipe.epochs or window.last)


def _check_smoothing(config: Config) -> None:
    """The adaptation rate needs three running means of the traces that every seed has at least."""
    training, window = config.training, config.training.window
    smoothing, step = config.smoothing_epochs, training.trace_every
    require(
        smoothing % step == 0,
        "analysis.smoothing_epochs",
        f"{smoothing} must be a multiple of training.trace_every, {step}",
    )
    least = Stop(window.first, window.last, training.patience, training.max_epochs).earliest
    traces, needed = len(range(0, least, step)), smoothing // step + 2
    require(
        needed <= traces,
        _given(config, "analysis.smoothing_epochs", "training.trace_every", "training.window"),
        f"smoothing over {smoothing} epochs takes {needed} traces (training.trace_every: {step}), but a "
        f"seed that stops at epoch {least} has {traces}",
    )


def _given(config: Config, *keys: str) -> str:
    """The first of ``keys`` that the config gives; the last one if it gives none of the others."""
    for key in keys[:-1]:
        section, _, name = key.partition(".")
        if name in getattr(config, section).model_fields_set:
            return key
    return keys[-1]


def _check_evaluations(place: str, given: RecipeSection | NoiseScalingEntry, epochs: int) -> None:
    """A default may exceed a short training, which is then evaluated at its start and end."""
    every = given.evaluate_every
    require(
        "evaluate_every" not in given.model_fields_set or every <= epochs,
        f"{place}.evaluate_every",
        f"{every} must not exceed the {epochs} epochs",
    )


def check_epochs(entry: CheckedEntry) -> None:
    """Raise ConfigError where an entry measures after its training has ended."""
    given_entry = entry.config.studies.by_name()[entry.study][entry.position]
    if isinstance(given_entry, NoiseScalingEntry):
        _check_evaluations(entry.key, given_entry, given_entry.epochs)
    training, given, last = entry.config.training, entry.general.spectrum_epochs, entry.general.recipe.epochs
    if last is None:
        last, rule = training.window.last, f"the window's last epoch, {training.window.last}"
    else:
        rule = f"the last of the recipe's epochs, {last}"
        require(
            not entry.calibrated,
            f"{entry.key}.recipe",
            "trains for a fixed number of epochs, so it needs a learning_rate: calibration chooses rates "
            "by the minimum in the window",
        )
    require(
        given is None or (_ascend_from_0(given) and given[-1] <= last),
        f"{entry.key}.spectrum_epochs",
        f"must ascend from 0 to at most {rule}",
    )


def _ascend_from_0(epochs: tuple[int, ...]) -> bool:
    return list(epochs) == sorted(epochs) and epochs[0] == 0
