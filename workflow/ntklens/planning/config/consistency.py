"""Checks across keys: that they fit each other and the datasets (App. D)."""

from collections import Counter
from collections.abc import Iterable

from ntklens.data.registry import is_modified
from ntklens.planning.config.base import MOST_LAYERS, shortened
from ntklens.planning.config.checked_entry import CheckedEntry
from ntklens.planning.config.effects import check_effects
from ntklens.planning.config.messages import require
from ntklens.planning.config.names import check_curve_names, check_own_file, check_study_names
from ntklens.planning.config.own_studies import OwnStudyEntry
from ntklens.planning.config.points import NO_WIDTH, dataset_name, is_own_file
from ntklens.planning.config.samples import check_samples
from ntklens.planning.config.schedules import check_epochs, check_schedule
from ntklens.planning.config.studies import AnyEntry
from ntklens.planning.config.top import Config
from ntklens.studies.catalogue import DATA_SCALING, MODEL_SCALING, PAPERS_RECIPE

FARTHEST_FROM_ANCHORS = 2  # a factor in scale; the fitted learning rates are not extrapolated beyond


def check_consistency(config: Config) -> None:
    """Raise ConfigError where keys of ``config`` do not fit each other."""
    check_schedule(config)
    _check_counts(config)
    check_study_names(config)
    _check_papers_recipe(config)
    check_effects(config)
    own_files: dict[str, str] = {}
    for study, entries in config.studies.by_name().items():
        _check_entries(config, study, entries, own_files)
    for study, entries in config.entries.items():
        for index, general in enumerate(entries):
            entry = CheckedEntry(config, study, index, general)
            _check_networks(entry)
            check_epochs(entry)
            _check_scales(entry)
            _check_members(entry)
            _check_test_samples(entry)
            check_samples(entry)
    check_curve_names(config)
    _check_figures(config)


def _check_counts(config: Config) -> None:
    ensemble = config.ensemble
    require(
        config.ntk_samples <= config.test_samples,
        "ntk_samples",
        f"{config.ntk_samples} must not exceed test_samples, {config.test_samples}",
    )
    require(
        ensemble.min_members <= ensemble.seeds,
        "ensemble.min_members",
        f"{ensemble.min_members} must not exceed ensemble.seeds, {ensemble.seeds}",
    )


def _check_papers_recipe(config: Config) -> None:
    recipe = config.recipes[PAPERS_RECIPE]
    for key, value in {"batch_size": recipe.batch_size, "epochs": recipe.epochs}.items():
        require(
            value is None,
            f"recipes.{PAPERS_RECIPE}.{key}",
            "the paper's scaling studies train by this recipe, in full batches until the test loss has "
            "passed its minimum; give your own recipe another name",
        )


def _check_entries(
    config: Config, study: str, entries: tuple[AnyEntry, ...], own_files: dict[str, str]
) -> None:
    """Check the names in the entries of one study: of axes, recipes, networks and datasets.

    ``own_files`` maps the names of users' files to their paths; those of this study are added.
    """
    counts = Counter((dataset_name(own.dataset), name) for own in entries for name in set(own.networks))
    for index, entry in enumerate(entries):
        key, first, dataset = f"studies.{study}[{index}]", entries[0], dataset_name(entry.dataset)
        if isinstance(entry, OwnStudyEntry) and isinstance(first, OwnStudyEntry):
            require(
                entry.axis == first.axis,
                f"{key}.axis",
                f"{entry.axis!r} differs from {first.axis!r}: all entries of a study have one axis",
            )
            require(
                entry.recipe in config.recipes,
                f"{key}.recipe",
                f"unknown {shortened(entry.recipe)}; allowed are {_listed(config.recipes)}",
            )
        if is_own_file(entry.dataset):
            check_own_file(f"{key}.dataset", entry.dataset, own_files)
        require(
            not is_modified(entry.dataset) or not set("{}") & set(config.data_dir or ""),
            "data_dir",
            f"{shortened(config.data_dir)} holds braces, which Snakemake takes for a wildcard in the path of "
            f"{dataset}: rename the folder",
        )
        for name in entry.networks:
            require(
                counts[dataset, name] == 1,
                f"{key}.networks",
                f"{shortened(name)} on {shortened(dataset)} has several entries in this study, not one",
            )
            require(
                name in config.networks,
                f"{key}.networks",
                f"unknown {shortened(name)}; allowed are {_listed(config.networks)}",
            )


def _check_networks(entry: CheckedEntry) -> None:
    for name in entry.general.networks:
        require(
            entry.general.recipe.batch_size is not None or not entry.config.networks[name].convolutions,
            f"{entry.key}.networks",
            f"{name!r} is convolutional, which needs mini-batches, but {entry.study} trains in full batches",
        )
        require(
            entry.point(name, entry.general.scales[0]).network.width != NO_WIDTH,
            f"networks.{name}.width",
            f"must be given, because {entry.key} trains this network",
        )


def _check_scales(entry: CheckedEntry) -> None:
    grid, anchors, least = entry.general.scales, entry.general.calibrate_at, entry.axis.least
    require(min(grid) >= least, entry.scales_key, f"{min(grid)} must be at least {least}")
    for key, scales in {entry.scales_key: grid, f"{entry.key}.calibrate_at": anchors}.items():
        deepest = entry.point(entry.general.networks[0], max(scales, default=1)).network.hidden_layers
        require(deepest <= MOST_LAYERS, key, f"{deepest} hidden layers are more than {MOST_LAYERS}")
    if not entry.calibrated:
        return
    require(
        min(grid) > 0,
        entry.scales_key,
        "0 cannot be calibrated, because rates are fitted against the logarithm of the scale: give a "
        "learning_rate",
    )
    require(
        len(anchors) > 0, f"{entry.key}.calibrate_at", "must list scales, unless learning_rate gives a rate"
    )
    lowest, highest = min(anchors) / FARTHEST_FROM_ANCHORS, max(anchors) * FARTHEST_FROM_ANCHORS
    require(
        lowest <= min(grid) <= max(grid) <= highest,
        f"{entry.key}.calibrate_at",
        f"must reach within a factor {FARTHEST_FROM_ANCHORS} of every scale from {min(grid)} to {max(grid)}",
    )


def _check_members(entry: CheckedEntry) -> None:
    ensemble, own = entry.config.ensemble, entry.general
    seeds, least = own.seeds or ensemble.seeds, own.min_members or ensemble.min_members
    require(
        least <= seeds,
        f"{entry.key}.{'min_members' if own.min_members else 'seeds'}",
        f"{seeds} seeds are trained, but {least} have to end well (min_members)",
    )


def _check_test_samples(entry: CheckedEntry) -> None:
    """The NTK is measured on samples on which the test loss is measured too."""
    own = entry.general
    measured = own.ntk_draws * (own.ntk_samples or entry.config.ntk_samples)
    require(
        own.test_samples is None or measured <= own.test_samples,
        f"{entry.key}.test_samples",
        f"{own.test_samples} is less than the {measured} test samples on which the NTK is measured",
    )


def _listed(allowed: Iterable[str]) -> str:
    """The names that are ``allowed``, the first ones if there are many."""
    text = ", ".join(allowed)
    return text if len(text) <= 300 else f"{text[:300]} …"


def _check_figures(config: Config) -> None:
    wanted, network = config.figures.dataset, config.model_scaling_network
    by_width = config.entries.get(MODEL_SCALING, ())
    networks = {name for entry in by_width for name in entry.networks}
    require(
        not networks or network in networks,
        "figures.model_scaling_network",
        f"{shortened(network)} is not trained; allowed are {_listed(sorted(networks))}",
    )
    shown = [entry for entry in by_width if network in entry.networks]  # as figure 1 shows them
    shown += config.entries.get(DATA_SCALING, ())
    datasets = list(dict.fromkeys(dataset_name(entry.dataset) for entry in shown))
    without = wanted in {dataset_name(entry.dataset) for entry in by_width}
    problem = f"{MODEL_SCALING} does not train {network!r} on" if without else "unknown"
    require(
        wanted in (None, *datasets),
        "figures.dataset",
        f"{problem} {shortened(wanted)}; allowed are {_listed(datasets) or 'none'}",
    )
