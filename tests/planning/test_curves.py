import pytest
from ntklens.data.settings import DataSettings, ImageSize
from ntklens.networks.architectures import NetworkSettings
from ntklens.planning.config import load
from ntklens.planning.curves import (
    batches,
    curves,
    default_seeds_per_job,
    entry_of,
    follows_minimum,
    learning_rate_of,
    point_name,
    point_of,
    scales,
    verified_curves,
    verified_scales,
)
from ntklens.planning.settings import averaging_settings
from ntklens.storage.curve import Curve
from ntklens.studies.jobs import Point

from tests.support.small_config import BY_SIZE, BY_WIDTH, SIZES, WIDTHS, changed, small, without


def test_curves_in_the_configs_order():
    loaded = load(small())
    expected = [BY_WIDTH, Curve("model-scaling", "digits", "four-layer"), BY_SIZE]
    assert curves(loaded) == expected
    assert curves(loaded, "data-scaling") == [BY_SIZE]
    assert curves(load(without(("studies", "data-scaling"))), "data-scaling") == []


def test_entry_of_a_curve_that_is_not_there_raises():
    loaded = load(small())
    assert entry_of(loaded, BY_SIZE).scales == (40, 160)
    with pytest.raises(KeyError, match="no curve data-scaling/digits/three-layer"):
        entry_of(loaded, BY_SIZE._replace(network="three-layer"))


def test_scales_ascend():
    assert scales(load(changed((*WIDTHS, "widths"), [32, 8, 16])), BY_WIDTH) == [8, 16, 32]


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
    assert verified_scales(load(changed(WIDTHS, entry)), BY_WIDTH) == expected


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
    assert batches(load(config), BY_WIDTH, 8) == expected


def test_a_dataset_has_an_entry_for_each_network():
    config = small()
    (entry,) = config["studies"]["model-scaling"]
    deep = {**entry, "networks": ["four-layer"], "widths": [8, 16], "calibrate_at": [8]}
    config["studies"]["model-scaling"] = [{**entry, "networks": ["three-layer"]}, deep]
    loaded = load(config)
    assert curves(loaded) == curves(load(small()))
    assert scales(loaded, BY_WIDTH) == [8, 32]
    assert scales(loaded, BY_WIDTH._replace(network="four-layer")) == [8, 16]


def test_entry_has_its_own_number_of_seeds():
    config = changed(("ensemble",), {"seeds": 5, "min_members": 5})
    config["studies"]["model-scaling"][0] |= {"seeds": 3, "min_members": 2}
    loaded = load(config)
    assert batches(loaded, BY_WIDTH, 8) == [(0, 2)]
    assert batches(loaded, BY_SIZE, 40) == [(0, 4)]
    assert [averaging_settings(loaded, curve).min_members for curve in (BY_WIDTH, BY_SIZE)] == [2, 5]


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
    assert default_seeds_per_job(load(config), curve, width) == size


def test_sizes_share_a_job_by_their_own_width():
    config = changed((*SIZES, "width"), 1024)
    assert default_seeds_per_job(load(config), BY_SIZE, 40) == 5


@pytest.mark.parametrize(
    ("epochs", "train_samples", "size"), [(1, 40, 20), (100, 400, 5), (100, 500, 4), (1000, 2000, 1)]
)
def test_long_noise_studies_share_a_job_less(epochs, train_samples, size):
    entry = {"dataset": "own.npz", "train_samples": train_samples, "removed_percent": [0]}
    entry |= {"epochs": epochs, "spectrum_epochs": [0]}
    config = changed(("studies", "noise-scaling"), [entry])
    curve = Curve("noise-scaling", "own", "dense")
    assert default_seeds_per_job(load(config), curve, 0) == size


@pytest.mark.parametrize("scale", [8, 1024])
def test_added_seeds_leave_full_batches_alone(scale):
    config = changed((*WIDTHS, "widths"), [8, 1024])
    config["studies"]["model-scaling"][0]["learning_rate"] = 0.1
    before = []
    for seeds in range(1, 45):
        config["ensemble"] = {"seeds": seeds, "min_members": 1}
        found = batches(load(config), BY_WIDTH, scale)
        assert found[: len(before) - 1] == before[:-1]
        assert found[-1][1] == seeds - 1
        before = found


def test_point_of_model_scaling_has_its_width():
    point = point_of(load(small()), BY_WIDTH, 32)
    assert point == Point(
        NetworkSettings(hidden_layers=2, width=32),
        DataSettings(train_samples=100, balanced=False, draw_seed=0, noisy_copies=None, image_size=None),
    )


@pytest.mark.parametrize("both", [False, True])
def test_point_of_data_scaling_varies_the_data(both):
    loaded = load(changed((*SIZES, "vary_initialisation"), both))
    point = point_of(loaded, BY_SIZE, 160)
    assert point.network == NetworkSettings(hidden_layers=3, width=8)
    assert (point.data.train_samples, point.data.draw_seed) == (160, None)
    assert entry_of(loaded, BY_SIZE).vary == ("both" if both else "data")


def test_point_of_an_input_size_resizes_its_images():
    entry = {"axis": "input_size", "dataset": "digits", "networks": ["three-layer"], "scales": [16]}
    entry |= {"image_fit": "zero-padded", "learning_rate": 0.1, "width": 5}
    loaded = load(changed(("studies", "sizes"), [entry]))
    curve = Curve("sizes", "digits", "three-layer")
    assert point_of(loaded, curve, 16).data.image_size == ImageSize(pixels=16, fit="zero-padded")
    assert point_name(loaded, curve, 16) == "pixels-16"
    assert curve not in verified_curves(loaded)  # neural-tangents' environment cannot resize


@pytest.mark.parametrize(("fit", "pixels"), [("resized", 4), ("zero-padded", 12)])
def test_images_have_one_given_size_on_any_other_axis(fit, pixels):
    entry = {"axis": "width", "dataset": "digits", "networks": ["three-layer"], "scales": [8, 16]}
    entry |= {"image_size": pixels, "image_fit": fit, "test_samples": 200, "calibrate_at": [8]}
    loaded = load(changed(("studies", "pooled"), [entry]))
    curve = Curve("pooled", "digits", "three-layer")
    for width in (8, 16):
        point = point_of(loaded, curve, width)
        assert point.data.image_size == ImageSize(pixels, fit)
        assert (point.data.test_samples, point.network.width) == (200, width)
    assert curve not in verified_curves(loaded)


def test_learning_rate_of_an_entry_goes_before_that_of_its_recipe():
    config = changed((*WIDTHS, "learning_rate"), 0.1)
    assert learning_rate_of(load(config), BY_WIDTH) == 0.1
    assert learning_rate_of(load(config), BY_SIZE) is None
    config["recipes"] = {"adam": {"learning_rate": 0.2}}
    assert learning_rate_of(load(config), BY_WIDTH) == 0.1
    assert learning_rate_of(load(config), BY_SIZE) == 0.2


def test_noise_scaling_is_not_verified():
    entry = {"dataset": "mnist-5k-4", "train_samples": 400, "removed_percent": [50, 0], "ntk_samples": 100}
    loaded = load(changed(("studies", "noise-scaling"), [{**entry, "seeds": 2}]))
    dense, convolutional = curves(loaded, "noise-scaling")
    assert (dense.network, convolutional.network) == ("dense", "convolutional")
    assert not follows_minimum(loaded, dense)
    assert dense not in verified_curves(loaded)
    assert BY_WIDTH in verified_curves(loaded)
    assert scales(loaded, dense) == [0, 50]
    assert batches(loaded, dense, 50) == [(0, 0), (1, 1)]
