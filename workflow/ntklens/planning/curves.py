"""What a complete config asks for: its curves and their points, and how seeds share jobs."""

from pathlib import PurePath
from typing import NamedTuple

from ntklens.studies.catalogue import AXES, HEADINGS, general_form

# What the seeds of one job make together at most, where the config does not say how many they are. Jobs
# of the paper's widest networks then take an hour or two, and hold a few gigabytes.
MOST_SEEDS_PER_JOB = 20
UNITS_PER_JOB = 5120  # of a layer of each seed's network
SAMPLES_PER_JOB = 65_536  # to train on
PASSES_PER_JOB = 200_000  # of a sample through a network that is trained on mini-batches


class Curve(NamedTuple):
    """One study of one network on one dataset."""

    study: str
    dataset: str
    network: str


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


def entry_of(config, curve):
    """The config's entry for ``curve``, in the general form. Raises KeyError if there is none."""
    for entry in config["studies"].get(curve.study, ()):
        if dataset_name(entry) == curve.dataset and curve.network in entry["networks"]:
            return general_form(curve.study, entry)
    raise KeyError(f"the config has no curve {'/'.join(curve)}")


def axis_of(config, curve):
    """The `Axis` along which ``curve`` runs."""
    return AXES[entry_of(config, curve)["axis"]]


def heading_of(study):
    """What figures call ``study``."""
    return HEADINGS.get(study) or study.replace("-", " ").capitalize()


def scales(config, curve):
    """The scales of ``curve``, ascending."""
    return sorted(entry_of(config, curve)["scales"])


def point_name(config, curve, scale):
    """The folder of one point, such as ``width-64``."""
    return axis_of(config, curve).folder.format(scale=scale)


def recipe_of(config, curve):
    """The recipe of ``curve`` as the config has it: keys as in its section ``recipes``."""
    recipe = entry_of(config, curve)["recipe"]
    return config["recipes"][recipe] if isinstance(recipe, str) else recipe


def learning_rate_of(config, curve):
    """The learning rate that the config gives ``curve``; None where it is to be calibrated."""
    own = entry_of(config, curve)["learning_rate"]
    return recipe_of(config, curve)["learning_rate"] if own is None else own


def follows_minimum(config, curve):
    """Whether training stops around the least test loss, and not at a fixed epoch."""
    return recipe_of(config, curve)["epochs"] is None


def batches(config, curve, scale):
    """``(first, last)`` seed of every job at one point of ``curve``; a batch always starts at a multiple."""
    entry = entry_of(config, curve)
    seeds = entry["seeds"] or config["ensemble"]["seeds"]
    size = entry["seeds_per_job"] or default_seeds_per_job(config, curve, scale)
    return [(first, min(first + size, seeds) - 1) for first in range(0, seeds, size)]


def default_seeds_per_job(config, curve, scale):
    """The largest divisor of 20 at which the seeds of a job stay within the bounds above; at least 1.

    The number of seeds has no part in it: added seeds leave full batches as they are.
    """
    recipe, point = recipe_of(config, curve), point_of(config, curve, scale)
    samples = point["data"]["train_samples"]
    if recipe["batch_size"] is None:
        most = min(UNITS_PER_JOB // point["network"]["width"], SAMPLES_PER_JOB // samples)
    else:
        epochs = recipe["epochs"] or config["training"]["window"]["last"]
        most = PASSES_PER_JOB // (epochs * samples)
    sizes = range(1, MOST_SEEDS_PER_JOB + 1)
    return max(size for size in sizes if MOST_SEEDS_PER_JOB % size == 0 and size <= max(most, 1))


def point_of(config, curve, scale):
    """The network and the data of one point of ``curve``, as `ntklens.studies.axis` describes them."""
    return point_at(entry_of(config, curve), config["networks"][curve.network], scale)


def point_at(entry, network, scale):
    """The point at ``scale`` of an ``entry`` in the general form, for these settings of a ``network``."""
    axis = AXES[entry["axis"]]
    base = {
        "network": {**network, "width": entry["width"] or network["width"]},
        "data": {
            "train_samples": entry["train_samples"],
            "balanced": entry["balanced"],
            "draw_seed": entry["draw_seed"] if entry["vary"] == "initialisation" else None,
            "noisy_copies": None,
            "image_size": None,
            **axis.data(entry),
        },
    }
    return axis.at(base, scale)


def verified_scales(config, curve):
    """The smallest, the middle and the largest scale of ``curve``: where the NTK is computed twice."""
    ascending = scales(config, curve)
    return sorted({ascending[0], ascending[len(ascending) // 2], ascending[-1]})


def verified_curves(config):
    """The curves whose run files hold parameters at the minimum, of dense networks on images as they are.

    The environment of neural-tangents cannot resize images.
    """
    return [
        curve
        for curve in curves(config)
        if follows_minimum(config, curve)
        and not config["networks"][curve.network]["convolutions"]
        and point_of(config, curve, scales(config, curve)[0])["data"]["image_size"] is None
    ]
