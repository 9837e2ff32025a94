"""What a complete config asks for: its curves, their points, and the settings of every job.

A job is given only the slice of the config that determines its output. Snakemake keeps these
slices and runs a job again when its slice has changed.
"""

import math
from typing import NamedTuple

from ntklens.paths import point_name


class Curve(NamedTuple):
    """One study of one network on one dataset."""

    study: str
    dataset: str
    network: str


def scale_key(study):
    """The key of an entry that lists its scales."""
    return {"model-scaling": "widths", "data-scaling": "sizes"}[study]


def curves(config, study=None):
    """All `Curve`s of the config, or those of one ``study``, in the config's order."""
    return [
        Curve(name, entry["dataset"], network)
        for name, entries in config["studies"].items()
        if study in (None, name)
        for entry in entries
        for network in entry["networks"]
    ]


def entry_of(config, curve):
    """The config's entry for ``curve``. Raises KeyError if it has none."""
    for entry in config["studies"].get(curve.study, ()):
        if entry["dataset"] == curve.dataset and curve.network in entry["networks"]:
            return entry
    raise KeyError(f"the config has no curve {'/'.join(curve)}")


def scales(config, curve):
    """The widths or data sizes of ``curve``, ascending."""
    return sorted(entry_of(config, curve)[scale_key(curve.study)])


def batches(config):
    """``(first, last)`` seed of every job of an ensemble; a batch always starts at a multiple."""
    seeds, size = config["ensemble"]["seeds"], config["ensemble"]["seeds_per_job"]
    return [(first, min(first + size, seeds) - 1) for first in range(0, seeds, size)]


def target_epoch(config):
    """The geometric middle of the window, where calibration puts the minimum."""
    window = config["training"]["window"]
    return math.sqrt(window["first"] * window["last"])


def subset_settings(config):
    return {key: config[key] for key in ("test_samples", "ntk_samples", "split_seed")}


def point_settings(config, curve, scale):
    """What `ntklens.experiment.Point` needs to know of one point of ``curve``."""
    entry = entry_of(config, curve)
    by_width = curve.study == "model-scaling"
    return {
        "hidden_layers": config["networks"][curve.network]["hidden_layers"],
        "width": scale if by_width else entry["width"],
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


def aggregation_settings(config, curve):
    return {
        "points": {point_name(curve.study, scale): scale for scale in scales(config, curve)},
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
    for curve in curves(config):
        if curve.study == "model-scaling" and curve.network != network:
            continue
        shown.setdefault((curve.study, curve.dataset), curve)
    return list(shown.values())
