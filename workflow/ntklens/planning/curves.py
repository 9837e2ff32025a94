"""What a complete config asks for: its curves, their points, and the settings of every job.

A job is given only the slice of the config that determines its output. Snakemake keeps these
slices and runs a job again when its slice has changed.
"""

import math
from pathlib import PurePath
from typing import NamedTuple

from ntklens.planning.paths import point_name

SCALING = ("model-scaling", "data-scaling")
NOISE = "noise-scaling"

# What the seeds of one job make together at most, where the config does not say how many they are. Jobs
# of the paper's widest networks then take an hour or two, and hold a few gigabytes.
MOST_SEEDS_PER_JOB = 20
UNITS_PER_JOB = 5120  # of a layer of each seed's network
SAMPLES_PER_JOB = 65_536  # to train on
PASSES_PER_JOB = 200_000  # of a sample through a network of the noise study


class Curve(NamedTuple):
    """One study of one network on one dataset."""

    study: str
    dataset: str
    network: str


def scale_key(study):
    """The key of an entry that lists its scales."""
    return {"model-scaling": "widths", "data-scaling": "sizes", NOISE: "removed_percent"}[study]


def dataset_name(entry):
    """What file names and figures call the dataset of ``entry``: a file of the user's by its stem."""
    return PurePath(entry["dataset"]).stem if is_own_file(entry) else entry["dataset"]


def is_own_file(entry):
    """Whether the dataset of ``entry`` is a file of the user's."""
    return entry["dataset"].endswith(".npz")


def own_files(config):
    """Dataset name -> path, for the datasets that are files of the user's."""
    entries = [entry for entries in config["studies"].values() for entry in entries]
    return {dataset_name(entry): entry["dataset"] for entry in entries if is_own_file(entry)}


def curves(config, study=None):
    """All `Curve`s of the config, or those of one ``study``, in the config's order."""
    return [
        Curve(name, dataset_name(entry), network)
        for name, entries in config["studies"].items()
        if study in (None, name)
        for entry in entries
        for network in entry["networks"]
    ]


def scaling_curves(config):
    """The `Curve`s of the scaling studies."""
    return [curve for curve in curves(config) if curve.study in SCALING]


def entry_of(config, curve):
    """The config's entry for ``curve``. Raises KeyError if it has none."""
    for entry in config["studies"].get(curve.study, ()):
        if dataset_name(entry) == curve.dataset and curve.network in entry["networks"]:
            return entry
    raise KeyError(f"the config has no curve {'/'.join(curve)}")


def scales(config, curve):
    """The widths, data sizes or percentages of ``curve``, ascending."""
    return sorted(entry_of(config, curve)[scale_key(curve.study)])


def batches(config, curve, scale):
    """``(first, last)`` seed of every job at one point of ``curve``; a batch always starts at a multiple."""
    entry = entry_of(config, curve)
    seeds = entry["seeds"] if curve.study == NOISE else config["ensemble"]["seeds"]
    size = entry["seeds_per_job"] or default_seeds_per_job(config, curve, scale)
    return [(first, min(first + size, seeds) - 1) for first in range(0, seeds, size)]


def default_seeds_per_job(config, curve, scale):
    """The largest divisor of 20 at which the seeds of a job stay within the bounds above; at least 1.

    The number of seeds has no part in it: added seeds leave full batches as they are.
    """
    if curve.study == NOISE:
        entry = entry_of(config, curve)
        most = PASSES_PER_JOB // (entry["epochs"] * entry["train_samples"])
    else:
        point = point_settings(config, curve, scale)
        units, samples = point["network"]["width"], point["train_samples"]
        most = min(UNITS_PER_JOB // units, SAMPLES_PER_JOB // samples)
    sizes = range(1, MOST_SEEDS_PER_JOB + 1)
    return max(size for size in sizes if MOST_SEEDS_PER_JOB % size == 0 and size <= max(most, 1))


def target_epoch(config):
    """The geometric middle of the window, where calibration puts the minimum."""
    window = config["training"]["window"]
    return math.sqrt(window["first"] * window["last"])


def subset_settings(config):
    return {key: config[key] for key in ("test_samples", "ntk_samples", "split_seed")}


def point_settings(config, curve, scale):
    """What `ntklens.studies.experiment.Point` needs to know of one point of ``curve``."""
    entry = entry_of(config, curve)
    by_width = curve.study == "model-scaling"
    return {
        "network": {
            **config["networks"][curve.network],
            "width": scale if by_width else entry["width"],
        },
        "train_samples": entry["train_samples"] if by_width else scale,
        "vary_data": not by_width,
        "vary_initialisation": by_width or entry["vary_initialisation"],
    }


def calibration_settings(config, curve):
    training, calibration = config["training"], config["calibration"]
    anchors = sorted(entry_of(config, curve)["calibrate_at"])
    return {
        "points": [{"scale": scale, "point": point_settings(config, curve, scale)} for scale in anchors],
        "optimizer": config["optimizer"],
        "window": training["window"],
        "target_epoch": target_epoch(config),
        "patience": training["patience"],
        "max_epochs": training["max_epochs"],
        **calibration,
    }


def training_settings(config, curve, scale):
    """All that determines a run file, but for its seeds and inputs."""
    training = config["training"]
    return {
        "curve": curve._asdict(),
        "scale": scale,
        "point": point_settings(config, curve, scale),
        "optimizer": config["optimizer"],
        "learning_rate": entry_of(config, curve)["learning_rate"],
        "schedule": {
            "window_last": training["window"]["last"],
            "patience": training["patience"],
            "max_epochs": training["max_epochs"],
            "trace_every": training["trace_every"],
            "snapshots": training["spectrum_epochs"],
        },
        "save_parameters": training["save_parameters"],
    }


def noise_settings(config, curve, removed_percent):
    """All that determines a run file of noise scaling, but for its seeds and inputs."""
    entry = entry_of(config, curve)
    kept = ("train_samples", "draw_seed", "sigma", "epochs", "evaluate_every", "spectrum_epochs")
    return {
        "curve": curve._asdict(),
        "removed_percent": removed_percent,
        "network": config["networks"][curve.network],
        "sgd": {key: entry[key] for key in ("learning_rate", "momentum", "batch_size")},
        **{key: entry[key] for key in (*kept, "ntk_samples", "ntk_draws")},
    }


def noise_aggregation_settings(config, curve):
    return {"curve": curve._asdict(), "points": _point_names(config, curve)}


def _point_names(config, curve):
    return {point_name(curve.study, scale): scale for scale in scales(config, curve)}


def aggregation_settings(config, curve):
    return {
        "curve": curve._asdict(),
        "points": _point_names(config, curve),
        "min_members": config["ensemble"]["min_members"],
        "window": config["training"]["window"],
    }


def verified_scales(config, curve):
    """The smallest, the middle and the largest scale of ``curve``: where the NTK is computed twice."""
    ascending = scales(config, curve)
    return sorted({ascending[0], ascending[len(ascending) // 2], ascending[-1]})


def figure_1_curves(config):
    """One curve a study: of the figure's dataset, else of the study's first."""
    wanted = config["figures"]["dataset"]
    shown = {}
    for curve in figure_2_curves(config):
        if curve.study not in shown or curve.dataset == wanted:
            shown[curve.study] = curve
    return list(shown.values())


def figure_2_curves(config):
    """One curve for each study and dataset."""
    network = config["figures"]["model_scaling_network"]
    shown = {}
    for curve in scaling_curves(config):
        if curve.study == "model-scaling" and curve.network != network:
            continue
        shown.setdefault((curve.study, curve.dataset), curve)
    return list(shown.values())


def figure_curves(config):
    """Number of a figure -> the curves it shows, for the figures that the config can fill."""
    shown = {
        1: figure_1_curves(config),
        2: figure_2_curves(config),
        3: curves(config, "model-scaling"),
        4: curves(config, NOISE),
        5: figure_2_curves(config),
        6: figure_2_curves(config),
        7: curves(config, NOISE),
        8: figure_2_curves(config),
    }
    return {number: curves for number, curves in shown.items() if curves}
