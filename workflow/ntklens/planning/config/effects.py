"""Checks that every key that a config gives has an effect: a key that would be ignored is refused."""

from pydantic import BaseModel

from ntklens.planning.config.messages import require
from ntklens.planning.config.networks import CONVOLUTIONAL_KEYS
from ntklens.planning.config.own_studies import OwnStudyEntry
from ntklens.planning.config.top import Config
from ntklens.studies.axes.input_size import INPUT_SIZE
from ntklens.studies.axes.train_samples import TRAIN_SAMPLES
from ntklens.studies.axes.width import WIDTH

# Axis -> the key whose place its scale takes.
SCALE_OF = {WIDTH.name: "width", TRAIN_SAMPLES.name: "train_samples", INPUT_SIZE.name: "image_size"}


def check_effects(config: Config) -> None:
    """Raise ConfigError for the first key without an effect."""
    for name, network in config.networks.items():
        if not network.convolutions:
            _refuse(network, f"networks.{name}", CONVOLUTIONAL_KEYS, "a network with convolutions")
    for name, recipe in config.recipes.items():
        if recipe.optimizer != "sgd":
            _refuse(recipe, f"recipes.{name}", ("momentum",), "the optimizer sgd")
        if recipe.batch_size is None:
            _refuse(recipe, f"recipes.{name}", ("evaluate_every",), "a recipe with a batch_size")
    for study, entries in config.studies.by_name().items():
        for index, entry in enumerate(entries):
            if isinstance(entry, OwnStudyEntry):
                _check_own_entry(entry, f"studies.{study}[{index}]", config)


def _check_own_entry(entry: OwnStudyEntry, place: str, config: Config) -> None:
    _check_axis(entry, place)
    if entry.axis in SCALE_OF:
        _refuse(entry, place, (SCALE_OF[entry.axis],), f"an axis other than {entry.axis}")
    if entry.axis != INPUT_SIZE.name and entry.image_size is None:
        _refuse(entry, place, ("image_fit",), "the axis input_size or a study with an image_size")
    if entry.vary != "initialisation":
        _refuse(entry, place, ("draw_seed",), "a study whose seeds vary in the initialisation alone")
    given = config.recipes[entry.recipe].learning_rate if entry.recipe in config.recipes else None
    if entry.learning_rate is not None or given is not None:
        _refuse(entry, place, ("rate_factor",), "a study whose learning rate is calibrated")


def _check_axis(entry: OwnStudyEntry, place: str) -> None:
    for key, field in type(entry).model_fields.items():
        extra = field.json_schema_extra
        axis = extra.get("axis") if isinstance(extra, dict) else None
        if axis not in (None, entry.axis):
            _refuse(entry, place, (key,), f"the axis {axis}")


def _refuse(section: BaseModel, place: str, keys: tuple[str, ...], user: str) -> None:
    for key in keys:
        require(
            key not in section.model_fields_set,
            f"{place}.{key}",
            f"has no effect here, because only {user} uses it: leave it out",
        )
