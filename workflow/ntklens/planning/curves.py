"""The curves and points of a config, and how seeds share jobs."""

from ntklens.planning.config import Config
from ntklens.planning.config.points import axis_of_entry, dataset_name, is_own_file, point_at, rate_of_entry
from ntklens.storage.curve import Curve
from ntklens.studies.axis import Axis
from ntklens.studies.catalogue import HEADINGS
from ntklens.studies.entries import StudyEntry
from ntklens.studies.jobs import Point

# Limits on the sums over all seeds of one job, if the config does not say how many seeds share a job. Jobs of
# the paper's widest networks then take an hour or two, and hold a few gigabytes.
MOST_SEEDS_PER_JOB = 20
UNITS_PER_JOB = 5120  # of one layer, over the networks of all seeds
SAMPLES_PER_JOB = 65_536  # training samples
PASSES_PER_JOB = 200_000  # passes of one sample through a network that is trained on mini-batches


def own_files(config: Config) -> dict[str, str]:
    """Dataset name -> path, for the datasets that are users' files."""
    entries = [entry for entries in config.entries.values() for entry in entries]
    return {dataset_name(entry.dataset): entry.dataset for entry in entries if is_own_file(entry.dataset)}


def curves(config: Config, study: str | None = None) -> list[Curve]:
    """All `Curve`s of the config, or those of one ``study``, in the config's order."""
    return [
        Curve(name, dataset_name(entry.dataset), network)
        for name, entries in config.entries.items()
        if study in (None, name)
        for entry in entries
        for network in entry.networks
    ]


def entry_of(config: Config, curve: Curve) -> StudyEntry:
    """The config's entry for ``curve``. Raises KeyError if there is none."""
    for entry in config.entries.get(curve.study, ()):
        if dataset_name(entry.dataset) == curve.dataset and curve.network in entry.networks:
            return entry
    raise KeyError(f"the config has no curve {'/'.join(curve)}")


def axis_of(config: Config, curve: Curve) -> Axis:
    """The `Axis` along which ``curve`` runs."""
    return axis_of_entry(entry_of(config, curve))


def heading_of(study: str) -> str:
    """What figures call ``study``."""
    return HEADINGS.get(study) or study.replace("-", " ").capitalize()


def scales(config: Config, curve: Curve) -> list[int]:
    """The scales of ``curve``, ascending."""
    return sorted(entry_of(config, curve).scales)


def point_name(config: Config, curve: Curve, scale: int) -> str:
    """The folder of one point, such as ``width-64``."""
    return axis_of(config, curve).folder.format(scale=scale)


def learning_rate_of(config: Config, curve: Curve) -> float | None:
    """The learning rate that the config gives for ``curve``; None if calibration finds it."""
    return rate_of_entry(entry_of(config, curve))


def follows_minimum(config: Config, curve: Curve) -> bool:
    """Whether training stops once the test loss has passed its minimum, and not at a fixed epoch."""
    return entry_of(config, curve).recipe.epochs is None


def batches(config: Config, curve: Curve, scale: int) -> list[tuple[int, int]]:
    """``(first, last)`` seed of every job at one point of ``curve``; all batches but the last are full."""
    seeds, size = seeds_of(config, curve), seeds_per_job(config, curve, scale)
    return [(first, min(first + size, seeds) - 1) for first in range(0, seeds, size)]


def seeds_of(config: Config, curve: Curve) -> int:
    """How many seeds are trained at every point of ``curve``."""
    return entry_of(config, curve).seeds or config.ensemble.seeds


def seeds_per_job(config: Config, curve: Curve, scale: int) -> int:
    """How many seeds a full batch at one point of ``curve`` has."""
    return entry_of(config, curve).seeds_per_job or default_seeds_per_job(config, curve, scale)


def default_seeds_per_job(config: Config, curve: Curve, scale: int) -> int:
    """The largest divisor of 20 at which the seeds of a job stay within the limits above; at least 1.

    It does not depend on the number of seeds, so added seeds leave full batches unchanged.
    """
    recipe, point = entry_of(config, curve).recipe, point_of(config, curve, scale)
    samples = point.data.train_samples
    if recipe.batch_size is None:
        most = min(UNITS_PER_JOB // point.network.width, SAMPLES_PER_JOB // samples)
    else:
        epochs = recipe.epochs or config.training.window.last
        most = PASSES_PER_JOB // (epochs * samples)
    sizes = range(1, MOST_SEEDS_PER_JOB + 1)
    return max(size for size in sizes if MOST_SEEDS_PER_JOB % size == 0 and size <= max(most, 1))


def point_of(config: Config, curve: Curve, scale: int) -> Point:
    """The network and the data of one point of ``curve``."""
    return point_at(entry_of(config, curve), config.networks[curve.network], scale)


def verified_scales(config: Config, curve: Curve) -> list[int]:
    """The smallest, the middle and the largest scale of ``curve``, where the NTK is verified."""
    ascending = scales(config, curve)
    return sorted({ascending[0], ascending[len(ascending) // 2], ascending[-1]})


def verified_curves(config: Config) -> list[Curve]:
    """The curves of dense networks on unresized images, whose run files hold parameters at the minimum.

    The environment of neural-tangents cannot resize images.
    """
    return [
        curve
        for curve in curves(config)
        if follows_minimum(config, curve)
        and not config.networks[curve.network].convolutions
        and point_of(config, curve, scales(config, curve)[0]).data.image_size is None
    ]
