"""What the config's schema cannot say: that keys fit each other and the datasets (App. D)."""

import re

from ntklens.data.errors import DatasetError
from ntklens.data.registry import facts_of, names
from ntklens.networks.architectures import POOLED
from ntklens.planning.curves import curves, dataset_name, is_own_file, own_files, point_at
from ntklens.studies.catalogue import (
    AXES,
    DATA_SCALING,
    MODEL_SCALING,
    PAPERS_RECIPE,
    SCALE_KEYS,
    general_form,
)

LARGEST_DRAW = 1 / 3  # of the pool: larger draws have most samples in common
NAME = re.compile("[A-Za-z0-9][A-Za-z0-9_-]*")  # of a dataset: it becomes part of file names
FARTHEST_FROM_ANCHORS = 2  # a factor in scale; the fitted rates are not extrapolated beyond


class ConfigError(Exception):
    """A config that cannot be used; names the key and says what is allowed."""


def check_consistency(config):
    """Raise ConfigError where keys of a completed ``config`` do not fit each other."""
    _check_training(config)
    _check_study_names(config)
    _check_papers_recipe(config)
    for study, entries in config["studies"].items():
        for index, entry in enumerate(entries):
            place = _Entry(config, study, entry, f"studies.{study}[{index}]")
            _check_names(place)
            _check_dataset(config, entries, entry, place.key)
            _check_networks(place)
            _check_recipe(place)
            _check_scales(place)
            _check_members(place)
            if not is_own_file(entry):
                _check_samples(place)
    _check_figures(config)


class _Entry:
    """One entry of a study: as it stands in the config, and ``general`` in the general form."""

    def __init__(self, config, study, entry, key):
        self.config, self.study, self.entry, self.key = config, study, entry, key
        self.general = general_form(study, entry)

    @property
    def axis(self):
        return AXES[self.general["axis"]]

    @property
    def recipe(self):
        name = self.general["recipe"]
        return self.config["recipes"][name] if isinstance(name, str) else name

    @property
    def scales_key(self):
        return f"{self.key}.{SCALE_KEYS.get(self.study, 'scales')}"

    @property
    def learning_rate(self):
        own = self.general["learning_rate"]
        return self.recipe["learning_rate"] if own is None else own

    def point(self, network, scale):
        """The entry's point at ``scale`` for the network of this name."""
        return point_at(self.general, self.config["networks"][network], scale)


def _check_training(config):
    training, ensemble = config["training"], config["ensemble"]
    first, last = training["window"]["first"], training["window"]["last"]
    epochs = training["spectrum_epochs"]
    _require(first < last, "training.window", f"first ({first}) must come before last ({last})")
    _require(
        last < training["max_epochs"],
        "training.max_epochs",
        f"{training['max_epochs']} must be more than the window's last epoch, {last}",
    )
    _require(
        epochs == sorted(epochs) and epochs[0] == 0 and epochs[-1] <= last,
        "training.spectrum_epochs",
        f"must ascend from 0 to at most the window's last epoch, {last}",
    )
    smoothing, step = config["analysis"]["smoothing_epochs"], training["trace_every"]
    _require(
        smoothing % step == 0,
        "analysis.smoothing_epochs",
        f"{smoothing} must be a multiple of training.trace_every, {step}",
    )
    _require(
        config["ntk_samples"] <= config["test_samples"],
        "ntk_samples",
        f"{config['ntk_samples']} must not exceed test_samples, {config['test_samples']}",
    )
    _require(
        ensemble["min_members"] <= ensemble["seeds"],
        "ensemble.min_members",
        f"{ensemble['min_members']} must not exceed ensemble.seeds, {ensemble['seeds']}",
    )


def _check_dataset(config, entries, entry, key):
    """One entry a dataset. A file of the user's goes by its stem, which must not stand for something else."""
    name, key = dataset_name(entry), f"{key}.dataset"
    _require(
        [dataset_name(other) for other in entries].count(name) == 1,
        key,
        f"{name} has an entry already: one entry a dataset",
    )
    if not is_own_file(entry):
        return
    path, other = entry["dataset"], own_files(config)[name]
    _require(NAME.fullmatch(name), key, f"{path}: the file's name must match {NAME.pattern}")
    _require(name not in names(), key, f"{path}: {name} is a dataset already; rename the file")
    _require(other == path, key, f"{path} and {other} would both be called {name}")


def _check_papers_recipe(config):
    for key in ("batch_size", "epochs"):
        _require(
            config["recipes"][PAPERS_RECIPE][key] is None,
            f"recipes.{PAPERS_RECIPE}.{key}",
            "the paper's scaling studies take full batches and stop around the least test loss; give yours "
            "another name",
        )


def _check_study_names(config):
    """The names of studies become names of rules, where a hyphen becomes an underscore."""
    names = {}
    for study in config["studies"]:
        other = names.setdefault(study.replace("-", "_"), study)
        _require(other == study, f"studies.{study}", f"is too much like {other!r}; give it another name")


def _check_names(place):
    axis, recipe = place.general["axis"], place.general["recipe"]
    _require(axis in AXES, f"{place.key}.axis", f"unknown {axis!r}; allowed are {', '.join(AXES)}")
    first = general_form(place.study, place.config["studies"][place.study][0])["axis"]
    _require(axis == first, f"{place.key}.axis", f"{axis!r} differs from {first!r}: one axis for each study")
    _require(
        not isinstance(recipe, str) or recipe in place.config["recipes"],
        f"{place.key}.recipe",
        f"unknown {recipe!r}; allowed are {', '.join(place.config['recipes'])}",
    )


def _check_networks(place):
    networks = place.config["networks"]
    for name in place.general["networks"]:
        _require(
            name in networks,
            f"{place.key}.networks",
            f"unknown {name!r}; allowed are {', '.join(networks)}",
        )
        _require(
            place.recipe["batch_size"] is not None or not networks[name]["convolutions"],
            f"{place.key}.networks",
            f"{name!r} is convolutional, which takes mini-batches: {place.study} trains in full batches",
        )
        _require(
            place.point(name, place.general["scales"][0])["network"]["width"] is not None,
            f"networks.{name}.width",
            f"must be given: {place.key} trains this network",
        )


def _check_recipe(place):
    given, last = place.general["spectrum_epochs"], place.recipe["epochs"]
    epochs = given or place.config["training"]["spectrum_epochs"]
    if last is None:
        last = place.config["training"]["window"]["last"]
        rule = f"the window's last epoch, {last}"
    else:
        rule = f"the last of epochs, {last}"
        _require(
            place.learning_rate is not None,
            f"{place.key}.recipe",
            "trains for a fixed number of epochs, so it needs a learning_rate: calibration puts the minimum "
            "into the window",
        )
    _require(
        epochs == sorted(epochs) and epochs[0] == 0 and epochs[-1] <= last,
        f"{place.key}.spectrum_epochs",
        f"must ascend from 0 to at most {rule}"
        + ("" if given else f"; none are given, and those of training go to {epochs[-1]}"),
    )


def _check_scales(place):
    grid, anchors = place.general["scales"], place.general["calibrate_at"]
    _require(
        min(grid) >= place.axis.least, place.scales_key, f"{min(grid)} must be at least {place.axis.least}"
    )
    if place.learning_rate is not None:
        return
    _require(
        min(grid) > 0,
        place.scales_key,
        "0 cannot be calibrated, whose rates go with the scale's logarithm: give a learning_rate",
    )
    _require(anchors, f"{place.key}.calibrate_at", "must name scales, or learning_rate give a rate")
    lowest, highest = min(anchors) / FARTHEST_FROM_ANCHORS, max(anchors) * FARTHEST_FROM_ANCHORS
    _require(
        lowest <= min(grid) <= max(grid) <= highest,
        f"{place.key}.calibrate_at",
        f"must reach within a factor {FARTHEST_FROM_ANCHORS} of every scale from {min(grid)} to {max(grid)}",
    )


def _check_members(place):
    ensemble = place.config["ensemble"]
    seeds = place.general["seeds"] or ensemble["seeds"]
    least = place.general["min_members"] or ensemble["min_members"]
    _require(
        least <= seeds,
        f"{place.key}.{'min_members' if place.general['min_members'] else 'seeds'}",
        f"{seeds} seeds are trained, but {least} have to end well (min_members)",
    )


def _check_samples(place):
    """That a dataset of the registry has the samples asked for."""
    config, entry, name = place.config, place.general, place.entry["dataset"]
    try:
        facts = facts_of(name)
    except DatasetError as error:
        raise ConfigError(f"config key '{place.key}.dataset': {error}") from None
    tested = facts.test_size(config["test_samples"])
    pool = facts.pool_size(config["test_samples"])
    _require(
        facts.test_first is not None or tested < facts.samples,
        "test_samples",
        f"{tested} leaves nothing to train on of {name}'s {facts.samples} samples",
    )
    own_samples = entry["ntk_samples"]
    measured = entry["ntk_draws"] * (own_samples or config["ntk_samples"])
    _require(
        measured <= tested,
        f"{place.key}.ntk_samples" if own_samples else "ntk_samples",
        f"{measured} test samples in all, but {name} gives {tested} (test_samples)",
    )
    scales = [(place.scales_key, scale) for scale in entry["scales"]]
    if place.learning_rate is None:
        scales += [(f"{place.key}.calibrate_at", scale) for scale in entry["calibrate_at"]]
    for key, scale in scales:
        for network in entry["networks"]:
            _check_point(place, key, scale, place.point(network, scale), facts, pool)


def _check_point(place, key, scale, point, facts, pool):
    own_key = key if place.axis.name == "train_samples" else f"{place.key}.train_samples"
    _check_draw(own_key, point["data"]["train_samples"], place, facts, pool)
    problem = place.axis.problem(scale, point, facts)
    _require(problem is None, key, problem)
    network, sized = point["network"], point["data"]["image_size"]
    side = sized["pixels"] if sized else min(facts.shape[:2])
    halved = 0 if network["pooling"] == "none" else network["convolutions"]
    _require(
        side >= POOLED**halved,
        f"{place.key}.networks",
        f"images of {side} pixels a side cannot be halved by {halved} convolutions' pooling",
    )


def _check_draw(key, samples, place, facts, pool):
    name = place.entry["dataset"]
    if place.general["balanced"]:
        _require(
            samples % facts.classes == 0,
            key,
            f"{samples} samples cannot be equally many of each of {name}'s {facts.classes} classes",
        )
        _require(samples <= pool, key, f"{samples} is more than {name}'s pool of {pool}")
        if place.general["vary"] == "initialisation":
            return
    _require(
        samples <= pool * LARGEST_DRAW,
        key,
        f"{samples} samples are more than a third of {name}'s pool of {pool}: "
        "the draws would be nearly the same",
    )


def _check_figures(config):
    figures = config["figures"]
    scaling = [*curves(config, MODEL_SCALING), *curves(config, DATA_SCALING)]
    datasets = list(dict.fromkeys(curve.dataset for curve in scaling))
    _require(
        figures["dataset"] in (None, *datasets),
        "figures.dataset",
        f"unknown {figures['dataset']!r}; allowed are {', '.join(datasets)}",
    )
    networks = {curve.network for curve in curves(config, MODEL_SCALING)}
    _require(
        not networks or figures["model_scaling_network"] in networks,
        "figures.model_scaling_network",
        f"{figures['model_scaling_network']!r} is not trained; allowed are {', '.join(sorted(networks))}",
    )


def _require(condition, key, message):
    if not condition:
        raise ConfigError(f"config key '{key}': {message}")
