"""The settings of every job: the slice of a complete config that determines its output, and no more.

Snakemake keeps these slices and runs a job again when its slice has changed.
"""

import math

from ntklens.planning.curves import (
    entry_of,
    follows_minimum,
    learning_rate_of,
    point_name,
    point_of,
    recipe_of,
    scales,
)


def target_epoch(config):
    """The geometric middle of the window, where calibration puts the minimum."""
    window = config["training"]["window"]
    return math.sqrt(window["first"] * window["last"])


def subset_settings(config):
    return {key: config[key] for key in ("test_samples", "split_seed")}


def recipe_settings(config, curve):
    """How the members of ``curve`` are trained; see `ntklens.studies.recipes`."""
    recipe, training = recipe_of(config, curve), config["training"]
    if recipe["epochs"] is None:
        stop = {key: training[key] for key in ("patience", "max_epochs")}
        stop["window_last"] = training["window"]["last"]
    else:
        stop = {"epochs": recipe["epochs"]}
    return {
        "optimiser": _optimiser(config, recipe),
        "batch_size": recipe["batch_size"],
        "learning_rate": learning_rate_of(config, curve),
        "stop": stop,
        "evaluate_every": recipe["evaluate_every"] if recipe["batch_size"] else 1,
        "vary": entry_of(config, curve)["vary"],
    }


def _optimiser(config, recipe):
    if recipe["optimizer"] == "adam":
        return {"name": "adam", **config["optimizer"]}
    return {"name": "sgd", "momentum": recipe["momentum"]}


def measurement_settings(config, curve):
    """What is measured of the members of ``curve``; see `ntklens.studies.recipes`."""
    entry, training = entry_of(config, curve), config["training"]
    minimum = follows_minimum(config, curve)
    full_batch = recipe_of(config, curve)["batch_size"] is None
    return {
        "ntk_samples": entry["ntk_samples"] or config["ntk_samples"],
        "ntk_draws": entry["ntk_draws"],
        "trace_every": training["trace_every"] if minimum else 0,
        "spectrum_epochs": entry["spectrum_epochs"] or training["spectrum_epochs"],
        "alignments": full_batch and minimum,
        "minimum": minimum,
        "save_parameters": training["save_parameters"] if minimum else 0,
    }


def training_settings(config, curve, scale):
    """All that determines a run file, but for its seeds and inputs."""
    return {
        "curve": curve._asdict(),
        "scale": scale,
        **point_of(config, curve, scale),
        "recipe": recipe_settings(config, curve),
        "measurement": measurement_settings(config, curve),
    }


def calibration_settings(config, curve):
    """All that determines the learning rates of ``curve``, but for its subset."""
    recipe, training = recipe_settings(config, curve), config["training"]
    # Trials may stop at the window's first epoch. They find minima on the grid on which training finds them.
    stop = {**recipe["stop"], "window_last": training["window"]["first"]}
    every = min(recipe["evaluate_every"], training["trace_every"])
    return {
        "points": [
            {"scale": scale, **point_of(config, curve, scale)}
            for scale in sorted(entry_of(config, curve)["calibrate_at"])
        ],
        "recipe": {**recipe, "stop": stop, "evaluate_every": every},
        "target_epoch": target_epoch(config),
        **config["calibration"],
    }


def averaging_settings(config, curve):
    """What averaging the run files of ``curve`` needs to know."""
    least = entry_of(config, curve)["min_members"]
    return {
        "curve": curve._asdict(),
        "points": {point_name(config, curve, scale): scale for scale in scales(config, curve)},
        "min_members": config["ensemble"]["min_members"] if least is None else least,
        "window": config["training"]["window"] if follows_minimum(config, curve) else None,
    }
