"""Checks that a dataset has the samples, classes and image size that an entry needs."""

from pathlib import Path

from ntklens.data.errors import DatasetError
from ntklens.data.npz_headers import npz_contents
from ntklens.data.registry import DatasetFacts, facts_of, names
from ntklens.networks.architectures import POOLED
from ntklens.planning.config.base import shortened
from ntklens.planning.config.checked_entry import CheckedEntry
from ntklens.planning.config.messages import require
from ntklens.planning.config.points import dataset_name, is_own_file
from ntklens.studies.axes.input_size import INPUT_SIZE
from ntklens.studies.jobs import Point

LARGEST_DRAW = 1 / 3  # of the training pool: larger draws have most samples in common


def check_samples(entry: CheckedEntry) -> None:
    """Raise ConfigError if a dataset does not suit ``entry``. A missing file is not checked."""
    config, own = entry.config, entry.general
    name, facts = dataset_name(own.dataset), _facts(entry)
    if facts is None:
        return
    tested, pool = facts.test_size(config.test_samples), facts.pool_size(config.test_samples)
    require(
        facts.test_first is not None or tested < facts.samples,
        "test_samples",
        f"{tested} leaves no training samples: {name} has {facts.samples} samples in all",
    )
    if own.test_samples is not None:
        require(
            own.test_samples <= tested,
            f"{entry.key}.test_samples",
            f"{own.test_samples} is more than the {tested} test samples that {name} gives (test_samples)",
        )
    measured = own.ntk_draws * (own.ntk_samples or config.ntk_samples)
    require(
        measured <= tested,
        _key_of_measured(entry, tested),
        f"{entry.key} measures {measured} test samples in all, but {name} gives {tested} (test_samples)",
    )
    scales = [(entry.scales_key, scale) for scale in own.scales]
    if entry.calibrated:
        scales += [(f"{entry.key}.calibrate_at", scale) for scale in own.calibrate_at]
    for key, scale in scales:
        for network in own.networks:
            _check_point(entry, key, scale, entry.point(network, scale), facts, pool)


def _key_of_measured(entry: CheckedEntry, tested: int) -> str:
    """The key of the config that gives an entry too many samples for its NTK, or too few of them.

    Defaults follow from other keys. Where the config gives none of them, its dataset has too few samples.
    """
    config = entry.config
    given = config.studies.by_name()[entry.study][entry.position].model_dump(exclude_unset=True)
    own = next((key for key in ("ntk_samples", "ntk_draws") if given.get(key) is not None), None)
    if own:
        return f"{entry.key}.{own}"
    top = {"ntk_samples": entry.general.ntk_samples is None, "test_samples": tested == config.test_samples}
    limits = (key for key, counts in top.items() if counts and key in config.model_fields_set)
    return next(limits, f"{entry.key}.dataset")


def _facts(entry: CheckedEntry) -> DatasetFacts | None:
    """The facts about the dataset of ``entry``; None if it is a user's file that is not there."""
    dataset, key = entry.general.dataset, f"{entry.key}.dataset"
    if not is_own_file(dataset):
        require(
            dataset in names(),
            key,
            f"unknown dataset {shortened(dataset)}; allowed are {', '.join(names())}, or the path of an .npz "
            "file",
        )
        return facts_of(dataset)
    path = Path(dataset)
    if not path.exists():
        return None  # Snakemake names the missing file
    require(path.is_file(), key, f"{shortened(dataset)} is no file")
    try:
        shape, classes, samples, own_test = npz_contents(path)
    except (DatasetError, OSError) as error:
        require(False, key, shortened(str(error), 300)[1:-1])
        raise
    test_first = samples - own_test if own_test else None
    return DatasetFacts(samples, classes, shape, dataset_name(dataset), "a user's file", test_first)


def _check_point(
    entry: CheckedEntry, key: str, scale: int, point: Point, facts: DatasetFacts, pool: int
) -> None:
    own_key = key if entry.axis.name == "train_samples" else f"{entry.key}.train_samples"
    _check_draw(entry, own_key, point.data.train_samples, facts, pool)
    problem = entry.axis.problem(scale, point, facts)
    require(problem is None, key, problem or "")
    _check_size(key if entry.axis is INPUT_SIZE else f"{entry.key}.image_size", point, facts)
    network, sized = point.network, point.data.image_size
    side = sized.pixels if sized else min(facts.shape[:2])
    halved = 0 if network.pooling == "none" else network.convolutions
    require(
        side >= POOLED**halved,
        f"{entry.key}.networks",
        f"images of {side} pixels a side are too small for the pooling of {halved} convolutions, each of "
        "which halves them",
    )


def _check_size(key: str, point: Point, facts: DatasetFacts) -> None:
    sized, largest = point.data.image_size, max(facts.shape[:2])
    if sized is not None and sized.fit == "zero-padded":
        require(
            sized.pixels >= largest,
            key,
            f"images of {largest} pixels a side cannot be zero-padded to {sized.pixels}; take at least "
            f"{largest}",
        )


def _check_draw(entry: CheckedEntry, key: str, samples: int, facts: DatasetFacts, pool: int) -> None:
    name = dataset_name(entry.general.dataset)
    if entry.general.balanced:
        require(
            samples % facts.classes == 0,
            key,
            f"{samples} samples cannot be equally many of each of {name}'s {facts.classes} classes",
        )
        require(samples <= pool, key, f"{samples} is more than {name}'s training pool of {pool}")
        if entry.general.vary == "initialisation":
            return
    require(
        samples <= pool * LARGEST_DRAW,
        key,
        f"{samples} samples are more than a third of {name}'s training pool of {pool}: different draws would "
        "have most samples in common",
    )
