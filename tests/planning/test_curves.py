import copy
import math

import pytest
from ntklens.planning.config import complete
from ntklens.planning.curves import (
    Curve,
    aggregation_settings,
    batches,
    calibration_settings,
    curves,
    default_seeds_per_job,
    entry_of,
    figure_1_curves,
    figure_2_curves,
    noise_aggregation_settings,
    noise_settings,
    point_settings,
    scales,
    scaling_curves,
    subset_settings,
    target_epoch,
    training_settings,
    verified_scales,
)

from tests.support.small_config import BY_SIZE, BY_WIDTH, SIZES, WIDTHS, changed, small, without


def test_curves_in_the_configs_order():
    completed = complete(small())
    expected = [BY_WIDTH, Curve("model-scaling", "digits", "four-layer"), BY_SIZE]
    assert curves(completed) == expected
    assert curves(completed, "data-scaling") == [BY_SIZE]
    assert curves(complete(without(("studies", "data-scaling"))), "data-scaling") == []


def test_entry_of_a_curve_that_is_not_there_raises():
    completed = complete(small())
    assert entry_of(completed, BY_SIZE)["sizes"] == [40, 160]
    with pytest.raises(KeyError, match="no curve data-scaling/digits/three-layer"):
        entry_of(completed, BY_SIZE._replace(network="three-layer"))


def test_scales_ascend():
    assert scales(complete(changed((*WIDTHS, "widths"), [32, 8, 16])), BY_WIDTH) == [8, 16, 32]


@pytest.mark.parametrize(
    ("widths", "expected"),
    [
        ([64, 8, 16, 32, 128], [8, 32, 128]),
        ([8, 16, 32, 64], [8, 32, 64]),
        ([8, 16], [8, 16]),
        ([8], [8]),
    ],
)
def test_verified_scales_are_smallest_middle_and_largest(widths, expected):
    entry = {"dataset": "digits", "widths": widths, "calibrate_at": widths}
    assert verified_scales(complete(changed(WIDTHS, entry)), BY_WIDTH) == expected


@pytest.mark.parametrize(
    ("seeds", "size", "expected"),
    [
        (3, 2, [(0, 1), (2, 2)]),
        (4, 2, [(0, 1), (2, 3)]),
        (3, 5, [(0, 2)]),
        (3, 1, [(0, 0), (1, 1), (2, 2)]),
        (23, None, [(0, 19), (20, 22)]),
    ],
)
def test_batches_cover_all_seeds_once(seeds, size, expected):
    config = changed(("ensemble",), {"seeds": seeds, "min_members": 1})
    config["studies"]["model-scaling"][0]["seeds_per_job"] = size
    assert batches(complete(config), BY_WIDTH, 8) == expected


@pytest.mark.parametrize(
    ("width", "train_samples", "size"),
    [
        (8, 100, 20),
        (256, 100, 20),
        (257, 100, 10),
        (512, 100, 10),
        (1024, 100, 5),
        (2048, 100, 2),
        (4096, 100, 1),
        (100_000, 100, 1),
        (8, 3276, 20),
        (8, 3277, 10),
        (8, 16384, 4),
        (8, 100_000, 1),
        (2048, 16384, 2),
    ],
)
def test_wide_networks_and_large_data_share_a_job_less(width, train_samples, size):
    config = changed((*WIDTHS, "dataset"), "own.npz")  # with as many samples as it takes
    config["studies"]["model-scaling"][0].update(train_samples=train_samples, learning_rate=0.1)
    curve = BY_WIDTH._replace(dataset="own")
    assert default_seeds_per_job(complete(config), curve, width) == size


def test_sizes_share_a_job_by_their_own_width():
    config = changed((*SIZES, "width"), 1024)
    assert default_seeds_per_job(complete(config), BY_SIZE, 40) == 5


@pytest.mark.parametrize(
    ("epochs", "train_samples", "size"), [(1, 40, 20), (100, 400, 5), (100, 500, 4), (1000, 2000, 1)]
)
def test_long_noise_studies_share_a_job_less(epochs, train_samples, size):
    entry = {"dataset": "own.npz", "train_samples": train_samples, "removed_percent": [0]}
    entry |= {"epochs": epochs, "spectrum_epochs": [0]}
    config = changed(("studies", "noise-scaling"), [entry])
    curve = Curve("noise-scaling", "own", "dense")
    assert default_seeds_per_job(complete(config), curve, 0) == size


@pytest.mark.parametrize("scale", [8, 1024])
def test_added_seeds_leave_full_batches_alone(scale):
    config = changed((*WIDTHS, "widths"), [8, 1024])
    config["studies"]["model-scaling"][0]["learning_rate"] = 0.1
    before = []
    for seeds in range(1, 45):
        config["ensemble"] = {"seeds": seeds, "min_members": 1}
        found = batches(complete(config), BY_WIDTH, scale)
        assert found[: len(before) - 1] == before[:-1]
        assert found[-1][1] == seeds - 1
        before = found


def test_target_epoch_is_the_windows_geometric_middle():
    window = {"first": 100, "last": 400}
    assert target_epoch(complete(changed(("training", "window"), window))) == pytest.approx(200)


def test_point_of_model_scaling_varies_the_initialisation():
    completed = complete(small())
    assert completed["networks"]["three-layer"]["hidden_layers"] == 2
    assert point_settings(completed, BY_WIDTH, 32) == {
        "network": {**completed["networks"]["three-layer"], "width": 32},
        "train_samples": 100,
        "vary_data": False,
        "vary_initialisation": True,
    }


@pytest.mark.parametrize("both", [False, True])
def test_point_of_data_scaling_varies_the_data(both):
    completed = complete(changed((*SIZES, "vary_initialisation"), both))
    assert point_settings(completed, BY_SIZE, 160) == {
        "network": {**completed["networks"]["four-layer"], "width": 8},
        "train_samples": 160,
        "vary_data": True,
        "vary_initialisation": both,
    }


def test_figure_curves_follow_dataset_and_network():
    config = small()
    for entries in config["studies"].values():
        entries.append({**copy.deepcopy(entries[0]), "dataset": "mnist-5k"})
    config["figures"] = {"dataset": "mnist-5k", "model_scaling_network": "four-layer"}
    completed = complete(config)
    assert figure_1_curves(completed) == [
        Curve("model-scaling", "mnist-5k", "four-layer"),
        Curve("data-scaling", "mnist-5k", "four-layer"),
    ]
    assert figure_2_curves(completed) == [
        Curve("model-scaling", "digits", "four-layer"),
        Curve("model-scaling", "mnist-5k", "four-layer"),
        Curve("data-scaling", "digits", "four-layer"),
        Curve("data-scaling", "mnist-5k", "four-layer"),
    ]


def test_figure_1_takes_the_first_dataset_unless_told():
    config = small()
    first = config["studies"]["model-scaling"][0]
    config["studies"]["model-scaling"] = [{**first, "dataset": "mnist-5k"}, first]
    assert figure_1_curves(complete(config)) == [
        Curve("model-scaling", "mnist-5k", "three-layer"),
        BY_SIZE,
    ]


def training_of(config):
    return training_settings(complete(config), BY_WIDTH, 8)


def calibration_of(config):
    return calibration_settings(complete(config), BY_WIDTH)


def subset_of(config):
    return subset_settings(complete(config))


def aggregation_of(config):
    return aggregation_settings(complete(config), BY_WIDTH)


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
                (("calibration", "tolerance"), 1.4),
                (("ensemble", "seeds"), 9),
                (("ensemble", "min_members"), 2),
                ((*WIDTHS, "seeds_per_job"), 2),
                (("training", "window"), {"first": 200}),
                (("networks",), {"three-layer": {"hidden_layers": 2}, "four-layer": {"hidden_layers": 4}}),
                (("figures", "dataset"), "digits"),
                ((*WIDTHS, "widths"), [8, 16, 32]),
                ((*WIDTHS, "calibrate_at"), [8, 16, 32]),
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
                ((*WIDTHS, "widths"), [8, 16, 32]),
                ((*SIZES, "sizes"), [40, 80, 160]),
            ],
        ),
        (
            subset_of,
            [
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
    assert complete(changed(path, value)) != complete(small())
    assert settings_of(changed(path, value)) == settings_of(small())


@pytest.mark.parametrize(
    ("settings_of", "path", "value"),
    dependence(
        (
            training_of,
            [
                (("optimizer", "b1"), 0.8),
                (("training", "window"), {"last": 500}),
                (("training", "patience"), 1.5),
                (("training", "max_epochs"), 1500),
                (("training", "trace_every"), 4),
                (("training", "spectrum_epochs"), [0, 10]),
                (("training", "save_parameters"), 0),
                (("networks",), {"three-layer": {"hidden_layers": 1}, "four-layer": {"hidden_layers": 3}}),
                ((*WIDTHS, "train_samples"), 50),
                ((*WIDTHS, "learning_rate"), 0.1),
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
                ((*WIDTHS, "calibrate_at"), [8, 16, 32]),
                ((*WIDTHS, "train_samples"), 50),
            ],
        ),
        (subset_of, [(("test_samples",), 400), (("ntk_samples",), 64), (("split_seed",), 1)]),
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
    assert [(point["scale"], point["point"]["network"]["width"]) for point in settings["points"]] == [
        (8, 8),
        (32, 32),
    ]
    assert settings["target_epoch"] == pytest.approx(math.sqrt(160 * 400))


def test_aggregation_points_are_named_as_their_folders():
    completed = complete(small())
    assert aggregation_settings(completed, BY_WIDTH)["points"] == {"width-8": 8, "width-32": 32}
    assert aggregation_settings(completed, BY_SIZE)["points"] == {"size-40": 40, "size-160": 160}


def test_noise_scaling_is_no_scaling_curve():
    entry = {"dataset": "mnist-5k-4", "train_samples": 400, "removed_percent": [50, 0], "ntk_samples": 100}
    completed = complete(changed(("studies", "noise-scaling"), [{**entry, "seeds": 2}]))
    dense, convolutional = curves(completed, "noise-scaling")
    assert (dense.network, convolutional.network) == ("dense", "convolutional")
    assert dense not in scaling_curves(completed)
    assert scales(completed, dense) == [0, 50]
    assert batches(completed, dense, 50) == [(0, 0), (1, 1)]
    settings = noise_settings(completed, convolutional, 50)
    assert settings["network"] == completed["networks"]["convolutional"]
    assert (settings["removed_percent"], settings["sgd"]["batch_size"]) == (50, 128)
    points = {"removed-0": 0, "removed-50": 50}
    assert noise_aggregation_settings(completed, dense) == {"curve": dense._asdict(), "points": points}
