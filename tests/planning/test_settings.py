import math
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from ntklens.analysis.settings import AnalysisSettings, AveragingSettings, InfiniteWidthSettings
from ntklens.data.settings import ImageSize, NoisyCopies
from ntklens.networks.architectures import NetworkSettings
from ntklens.planning.config import load
from ntklens.planning.settings import (
    analysis_settings,
    averaging_settings,
    calibration_settings,
    infinite_width_settings,
    measurement_settings,
    recipe_settings,
    subset_settings,
    target_epoch,
    training_settings,
    variance_settings,
)
from ntklens.storage.settings import settings_sha256
from ntklens.studies.recipes import Recipe
from ntklens.training.optimisers import Adam, Sgd
from ntklens.training.schedules import Stop

from tests.support.small_config import BY_SIZE, BY_WIDTH, SIZES, WIDTHS, changed, small

OWN = {"axis": "depth", "dataset": "digits", "networks": ["narrow"], "scales": [1, 3], "calibrate_at": [1, 3]}


def test_target_epoch_is_the_windows_geometric_middle():
    window = {"first": 100, "last": 400}
    assert target_epoch(load(changed(("training", "window"), window))) == pytest.approx(200)


def test_the_folder_is_a_setting_of_modified_data_alone():
    for name, folder in (("mnist-modified", "elsewhere"), ("mnist", None), ("digits", None)):
        config = load({**changed((*WIDTHS, "dataset"), name), "data_dir": "elsewhere"})
        assert subset_settings(config, name).data_dir == folder


def training_of(config):
    return training_settings(load(config), BY_WIDTH, 8)


def calibration_of(config):
    return calibration_settings(load(config), BY_WIDTH)


def subset_of(config):
    return subset_settings(load(config), "digits")


def aggregation_of(config):
    return averaging_settings(load(config), BY_WIDTH)


def dependence(*columns):
    """Parameters (slice, path, value): those that matter to a slice, or do not."""
    return [
        pytest.param(of, path, value, id=f"{of.__name__}-{path[-1]}")
        for of, changes in columns
        for path, value in changes
    ]


@pytest.mark.parametrize(
    ("settings_of", "path", "value"),
    dependence(
        (
            training_of,
            [
                (("name",), "other"),
                (("analysis", "smoothing_epochs"), 12),
                (("ensemble", "seeds"), 9),
                (("ensemble", "min_members"), 2),
                ((*WIDTHS, "seeds_per_job"), 2),
                (("recipes",), {"adam": {}, "other": {"epochs": 5}}),
                (("networks",), {"three-layer": {"hidden_layers": 2}, "four-layer": {"hidden_layers": 4}}),
                (("figures", "dataset"), "digits"),
                ((*WIDTHS, "widths"), [8, 16, 32]),
                ((*SIZES, "width"), 16),
            ],
        ),
        (
            calibration_of,
            [
                (("analysis", "smoothing_epochs"), 12),
                (("ensemble", "seeds"), 9),
                (("training", "trace_every"), 4),
                (("training", "spectrum_epochs"), [0, 10]),
                (("training", "save_parameters"), 0),
                (("ntk_samples",), 64),
                ((*WIDTHS, "widths"), [8, 16, 32]),
                ((*SIZES, "sizes"), [40, 80, 160]),
            ],
        ),
        (
            subset_of,
            [
                (("ntk_samples",), 64),
                (("training", "trace_every"), 4),
                (("ensemble", "seeds"), 9),
                ((*WIDTHS, "train_samples"), 50),
            ],
        ),
        (
            aggregation_of,
            [
                (("analysis", "smoothing_epochs"), 12),
                (("figures", "dataset"), "digits"),
                ((*SIZES, "sizes"), [40, 80, 160]),
            ],
        ),
    ),
)
def test_slice_stays_equal_when_something_else_changes(settings_of, path, value):
    assert load(changed(path, value)) != load(small())
    assert settings_of(changed(path, value)) == settings_of(small())


@pytest.mark.parametrize(
    ("settings_of", "path", "value"),
    dependence(
        (
            training_of,
            [
                (("optimizer", "b1"), 0.8),
                (("training", "window"), {"last": 500}),
                (("training", "window"), {"first": 200}),
                (("training", "test_every"), 8),
                (("training", "patience"), 1.5),
                (("training", "max_epochs"), 1500),
                (("training", "trace_every"), 4),
                (("training", "spectrum_epochs"), [0, 10]),
                (("training", "save_parameters"), 0),
                (("ntk_samples",), 64),
                (("networks",), {"three-layer": {"hidden_layers": 1}, "four-layer": {"hidden_layers": 3}}),
                ((*WIDTHS, "train_samples"), 50),
                ((*WIDTHS, "learning_rate"), 0.1),
                # Through the files that training reads.
                (("calibration", "tolerance"), 1.4),
                ((*WIDTHS, "calibrate_at"), [8, 16, 32]),
                (("split_seed",), 1),
            ],
        ),
        (
            calibration_of,
            [
                (("optimizer", "b1"), 0.8),
                (("training", "window"), {"first": 200}),
                (("training", "patience"), 1.5),
                (("training", "max_epochs"), 1500),
                (("calibration", "seeds"), 4),
                (("calibration", "tolerance"), 1.4),
                (("calibration", "share_inside"), 1.0),
                (("training", "window"), {"last": 500}),
                ((*WIDTHS, "calibrate_at"), [8, 16, 32]),
                ((*WIDTHS, "train_samples"), 50),
            ],
        ),
        (subset_of, [(("test_samples",), 400), (("split_seed",), 1)]),
        (
            aggregation_of,
            [
                ((*WIDTHS, "widths"), [8, 16, 32]),
                (("ensemble", "min_members"), 2),
                (("training", "window"), {"first": 200}),
            ],
        ),
    ),
)
def test_slice_changes_with_what_matters(settings_of, path, value):
    assert settings_of(changed(path, value)) != settings_of(small())


def test_calibration_points_are_the_anchors_ascending():
    settings = calibration_of(changed((*WIDTHS, "calibrate_at"), [32, 8]))
    assert [(point.scale, point.network.width) for point in settings.points] == [(8, 8), (32, 32)]
    assert settings.target_epoch == pytest.approx(math.sqrt(160 * 400))


def test_trials_may_stop_at_the_windows_first_epoch():
    assert calibration_of(small()).recipe.stop.window_last == 160
    assert training_of(small()).recipe.stop.window_last == 400


def test_points_are_named_as_their_folders():
    loaded = load(small())
    assert averaging_settings(loaded, BY_WIDTH).points == {"width-8": 8, "width-32": 32}
    assert averaging_settings(loaded, BY_SIZE).points == {"size-40": 40, "size-160": 160}


def test_full_batch_study_with_a_window_measures_everything():
    loaded = load(small())
    assert recipe_settings(loaded, BY_WIDTH) == Recipe(
        optimiser=Adam(b1=0.9, b2=0.999, eps=1e-8),
        batch_size=None,
        learning_rate=None,
        stop=Stop(window_first=160, window_last=400, patience=1.2, max_epochs=1200),
        evaluate_every=16,
        vary="initialisation",
    )
    measurement = measurement_settings(loaded, BY_WIDTH)
    assert (measurement.alignments, measurement.minimum, measurement.trace_every) == (True, True, 2)
    assert (measurement.ntk_samples, measurement.ntk_draws) == (128, 1)


def noise():
    entry = {"dataset": "mnist-5k-4", "train_samples": 400, "removed_percent": [50, 0], "ntk_samples": 100}
    return load(changed(("studies", "noise-scaling"), [{**entry, "seeds": 2}]))


def test_noise_study_trains_on_mini_batches_for_a_fixed_number_of_epochs():
    loaded = noise()
    curve = BY_WIDTH._replace(study="noise-scaling", dataset="mnist-5k-4", network="convolutional")
    settings = training_settings(loaded, curve, 50)
    assert settings.network == NetworkSettings(
        convolutions=3, hidden_layers=1, width=64, initialisation="he-uniform"
    )
    assert settings.recipe.optimiser == Sgd(momentum=0.9)
    assert (settings.recipe.batch_size, settings.recipe.stop) == (128, Stop.fixed(1000))
    assert settings.data.noisy_copies == NoisyCopies(sigma=0.01, removed_percent=50)
    measurement = settings.measurement
    assert not any([measurement.alignments, measurement.minimum, measurement.trace_every])
    assert averaging_settings(loaded, curve) == AveragingSettings(
        curve=curve,
        points={"removed-0": 0, "removed-50": 50},
        runs={
            f"removed-{percent}": settings_sha256(training_settings(loaded, curve, percent))
            for percent in (0, 50)
        },
        seeds=2,
        min_members=1,
        window=None,
    )


def own(**changes):
    config = small()
    config["networks"] = {"narrow": {"hidden_layers": 2, "width": 6}, "three-layer": {"hidden_layers": 2}}
    config["networks"]["four-layer"] = {"hidden_layers": 3}
    config["recipes"] = {"adam": {}, "sgd": {"optimizer": "sgd", "momentum": 0.5}}
    config["studies"]["depth-scaling"] = [{**OWN, **changes}]
    return load(config)


DEPTH = BY_WIDTH._replace(study="depth-scaling", network="narrow")


def test_own_study_goes_along_its_axis():
    settings = training_settings(own(), DEPTH, 3)
    assert (settings.network.hidden_layers, settings.network.width) == (3, 6)
    assert averaging_settings(own(), DEPTH).points == {"depth-1": 1, "depth-3": 3}


def test_analysis_names_the_files_that_it_reads():
    loaded = load(changed(("analysis", "resamples"), 500))
    assert analysis_settings(loaded, BY_WIDTH) == AnalysisSettings(
        BY_WIDTH,
        settings_sha256(averaging_settings(loaded, BY_WIDTH)),
        settings_sha256(infinite_width_settings(loaded, BY_WIDTH)),
        8,
        500,
    )
    assert analysis_settings(loaded, BY_SIZE).infinite_width is None


def test_closed_forms_are_of_widths_of_dense_networks_as_the_scaling_studies_have_them():
    expected = InfiniteWidthSettings(BY_WIDTH, settings_sha256(subset_of(small())), 2, 128)
    assert infinite_width_settings(load(small()), BY_WIDTH) == expected
    assert infinite_width_settings(load(small()), BY_SIZE) is None
    assert infinite_width_settings(own(), DEPTH) is None
    for change in ({"biases": False}, {"parametrisation": "ntk"}, {"initialisation": "he-uniform"}):
        config = small()
        networks = config.get("networks") or {
            "three-layer": {"hidden_layers": 2},
            "four-layer": {"hidden_layers": 3},
        }
        config["networks"] = {**networks, "three-layer": {"hidden_layers": 2, **change}}
        assert infinite_width_settings(load(config), BY_WIDTH) is None


def test_closed_forms_are_those_of_the_curves_image_size():
    settings = infinite_width_settings(own(axis="width", image_size=4, ntk_samples=32), DEPTH)
    assert settings == InfiniteWidthSettings(
        DEPTH, settings_sha256(subset_of(small())), 2, 32, ImageSize(4, "resized")
    )


def test_rate_factor_changes_training_and_not_calibration():
    slower = own(rate_factor=0.5)
    assert training_settings(slower, DEPTH, 3).recipe == replace(
        recipe_settings(own(), DEPTH), rate_factor=0.5
    )
    assert calibration_settings(slower, DEPTH) == calibration_settings(own(), DEPTH)


def test_own_study_trains_by_its_recipe():
    recipe = recipe_settings(own(recipe="sgd"), DEPTH)
    assert recipe.optimiser == Sgd(momentum=0.5)
    assert recipe.stop.window_last == 400


@pytest.mark.parametrize(("vary", "draw_seed"), [("initialisation", 7), ("data", None), ("both", None)])
def test_own_study_varies_what_it_says(vary, draw_seed):
    given = {"draw_seed": draw_seed} if draw_seed else {}
    settings = training_settings(own(vary=vary, **given), DEPTH, 1)
    assert settings.recipe.vary == vary
    assert settings.data.draw_seed == draw_seed


def test_trials_are_evaluated_as_often_as_training():
    config = small()
    config["recipes"] = {"coarse": {"batch_size": 16, "evaluate_every": 200}}
    config["studies"]["own"] = [
        {
            **OWN,
            "axis": "width",
            "networks": ["four-layer"],
            "scales": [8],
            "calibrate_at": [8],
            "recipe": "coarse",
        }
    ]
    curve = BY_WIDTH._replace(study="own", network="four-layer")
    assert calibration_settings(load(config), curve).recipe.evaluate_every == 200
    assert calibration_of(small()).recipe.evaluate_every == 16


def draws(*entries):
    config = small()
    config["networks"] = {"three-layer": {"hidden_layers": 2}, "four-layer": {"hidden_layers": 3}}
    common = {**OWN, "axis": "width", "networks": ["three-layer"], "scales": [8, 16], "calibrate_at": [8, 16]}
    config["studies"] = {f"draw-{number}": [{**common, **own}] for number, own in enumerate(entries)}
    return variance_settings(load(config))


def test_curves_that_differ_in_their_training_draw_alone_are_a_group():
    (group,) = draws({}, {"draw_seed": 1}, {"draw_seed": 2, "train_samples": 80}, {"draw_seed": 3}).groups
    assert [own.curve.study for own in group.curves] == ["draw-0", "draw-1", "draw-3"]
    assert all(own.points == {"width-8": 8, "width-16": 16} for own in group.curves)
    assert group.title == "Digits (8×8), three-layer"


def test_every_network_of_several_draws_is_a_group():
    both = {"networks": ["three-layer", "four-layer"]}
    groups = draws(both, {"draw_seed": 1, **both}).groups
    assert [{own.curve.network for own in group.curves} for group in groups] == [
        {"three-layer"},
        {"four-layer"},
    ]


@pytest.mark.parametrize("change", [{}, {"vary": "data"}, {"draw_seed": 1, "seeds": 4}])
def test_curves_on_one_draw_or_of_other_ensembles_are_no_group(change):
    assert draws({}, change).groups == ()


def test_shipped_study_of_variances_has_eight_draws_at_three_widths():
    path = Path(__file__).parents[2] / "config" / "variance.yaml"
    config = load(yaml.safe_load(path.read_text(encoding="utf-8")))
    (group,) = variance_settings(config).groups
    assert len(group.curves) == 8
    assert all(list(own.points.values()) == [16, 128, 512] for own in group.curves)
    assert {measurement_settings(config, own.curve).ntk_draws for own in group.curves} == {3}
