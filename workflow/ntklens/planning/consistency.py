"""What the config's schema cannot say: that keys fit each other and the datasets (App. D)."""

import re

from ntklens.data.errors import DatasetError
from ntklens.data.registry import facts_of, names
from ntklens.planning.curves import (
    NOISE,
    curves,
    dataset_name,
    is_own_file,
    own_files,
    scale_key,
    scaling_curves,
)

LARGEST_DRAW = 1 / 3  # of the pool: larger draws have most samples in common
NAME = re.compile("[A-Za-z0-9][A-Za-z0-9_-]*")  # of a dataset: it becomes part of file names
FARTHEST_FROM_ANCHORS = 2  # a factor in scale; the fitted rates are not extrapolated beyond


class ConfigError(Exception):
    """A config that cannot be used; names the key and says what is allowed."""


def check_consistency(config):
    """Raise ConfigError where keys of a completed ``config`` do not fit each other."""
    _check_training(config)
    for study, entries in config["studies"].items():
        for index, entry in enumerate(entries):
            key = f"studies.{study}[{index}]"
            _check_dataset(config, entries, entry, key)
            _check_networks(config, study, entry, key)
            if study == NOISE:
                _check_noise(entry, key)
            else:
                _check_anchors(study, entry, key)
            if not is_own_file(entry):
                _check_samples(config, study, entry, key)
    _check_figures(config)


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


def _check_networks(config, study, entry, key):
    for name in entry["networks"]:
        _require(
            name in config["networks"],
            f"{key}.networks",
            f"unknown {name!r}; allowed are {', '.join(config['networks'])}",
        )
        network = config["networks"][name]
        _require(
            study == NOISE or not network["convolutions"],
            f"{key}.networks",
            f"{name!r} is convolutional: {study} varies the width of dense networks alone",
        )
        _require(
            study != NOISE or network["width"] is not None,
            f"networks.{name}.width",
            f"must be given: {key} trains this network",
        )


def _check_anchors(study, entry, key):
    grid, anchors = entry[scale_key(study)], entry["calibrate_at"]
    lowest, highest = min(anchors) / FARTHEST_FROM_ANCHORS, max(anchors) * FARTHEST_FROM_ANCHORS
    _require(
        entry["learning_rate"] is not None or lowest <= min(grid) <= max(grid) <= highest,
        f"{key}.calibrate_at",
        f"must reach within a factor {FARTHEST_FROM_ANCHORS} of every scale from {min(grid)} to {max(grid)}",
    )


def _check_noise(entry, key):
    epochs = entry["spectrum_epochs"]
    _require(
        epochs == sorted(epochs) and epochs[0] == 0 and epochs[-1] <= entry["epochs"],
        f"{key}.spectrum_epochs",
        f"must ascend from 0 to at most the last of epochs, {entry['epochs']}",
    )


def _check_samples(config, study, entry, key):
    """That a dataset of the registry has the samples asked for."""
    try:
        dataset = facts_of(entry["dataset"])
    except DatasetError as error:
        raise ConfigError(f"config key '{key}.dataset': {error}") from None
    tested = dataset.test_size(config["test_samples"])
    pool = dataset.pool_size(config["test_samples"])
    if dataset.test_first is None:
        _require(
            tested < dataset.samples,
            "test_samples",
            f"{tested} leaves nothing to train on of {entry['dataset']}'s {dataset.samples} samples",
        )
    measured = {"ntk_samples": config["ntk_samples"]}
    if study == NOISE:
        measured = {f"{key}.ntk_samples": entry["ntk_draws"] * entry["ntk_samples"]}
    for name, samples in measured.items():
        _require(
            samples <= tested,
            name,
            f"{samples} test samples in all, but {entry['dataset']} gives {tested} (test_samples)",
        )
    if study == NOISE:
        _check_noise_samples(entry, key, dataset, pool)
        return
    if study == "model-scaling":
        draws = {f"{key}.train_samples": entry["train_samples"]}
    else:
        draws = {f"{key}.{name}": max(entry[name]) for name in ("sizes", "calibrate_at")}
    for name, samples in draws.items():
        _require(
            samples <= pool * LARGEST_DRAW,
            name,
            f"{samples} samples are more than a third of {entry['dataset']}'s pool of {pool}: "
            "the draws would be nearly the same",
        )


def _check_noise_samples(entry, key, dataset, pool):
    samples, classes = entry["train_samples"], dataset.classes
    _require(
        samples % classes == 0,
        f"{key}.train_samples",
        f"{samples} samples cannot be equally many of each of {entry['dataset']}'s {classes} classes",
    )
    _require(
        samples <= pool, f"{key}.train_samples", f"{samples} is more than {entry['dataset']}'s pool of {pool}"
    )
    for percent in entry["removed_percent"]:
        _require(
            round(samples // classes * percent / 100) < samples // classes,
            f"{key}.removed_percent",
            f"{percent} % leaves none of the {samples // classes} samples of a class",
        )


def _check_figures(config):
    figures = config["figures"]
    datasets = list(dict.fromkeys(curve.dataset for curve in scaling_curves(config)))
    _require(
        figures["dataset"] in (None, *datasets),
        "figures.dataset",
        f"unknown {figures['dataset']!r}; allowed are {', '.join(datasets)}",
    )
    networks = {curve.network for curve in curves(config, "model-scaling")}
    _require(
        not networks or figures["model_scaling_network"] in networks,
        "figures.model_scaling_network",
        f"{figures['model_scaling_network']!r} is not trained; allowed are {', '.join(sorted(networks))}",
    )


def _require(condition, key, message):
    if not condition:
        raise ConfigError(f"config key '{key}': {message}")
