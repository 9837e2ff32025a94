"""Prices of jobs by hand-made units, and what they grow with."""

from dataclasses import replace

import pytest
from ntklens.costs import operations, prices
from ntklens.costs.prices import Sizes, calibration_price, training_price
from ntklens.costs.units import UnitCosts, read_unit_costs
from ntklens.data.settings import DataSettings, ImageSize
from ntklens.kernel import ntk
from ntklens.networks.architectures import NetworkSettings
from ntklens.storage.curve import Curve
from ntklens.studies.jobs import CalibrationSettings, Point, ScaledPoint, TrainingSettings
from ntklens.studies.recipes import Measurement, Recipe
from ntklens.training.optimisers import Adam
from ntklens.training.schedules import Stop

SIZES = Sizes((8, 8, 1), classes=10, samples=1797, pool=1297, test=500)
NETWORK = NetworkSettings(hidden_layers=2, width=8)
LAYERS = operations.layers_of(NETWORK, SIZES.image_shape, SIZES.classes)
FORWARD, PARAMETERS = operations.forward(LAYERS), operations.parameters(LAYERS)
DATA = DataSettings(train_samples=100, balanced=False, draw_seed=0)
RECIPE = Recipe(
    optimiser=Adam(b1=0.9, b2=0.999, eps=1e-8),
    batch_size=None,
    learning_rate=None,
    stop=Stop(window_first=220, window_last=220, patience=1.2, max_epochs=400),
    evaluate_every=1,
    vary="initialisation",
)
MEASURED = Measurement(
    ntk_samples=128,
    ntk_draws=1,
    trace_every=4,
    spectrum_epochs=(0, 1, 10),
    alignments=True,
    minimum=True,
    save_parameters=1,
)
FULL_BATCH = TrainingSettings(
    curve=Curve("model-scaling", "digits", "three-layer"),
    scale=8,
    subset="ab" * 32,
    learning_rates=None,
    network=NETWORK,
    data=DATA,
    recipe=RECIPE,
    measurement=MEASURED,
)
MINI_BATCH = replace(
    FULL_BATCH,
    recipe=replace(RECIPE, batch_size=32, stop=Stop.fixed(20), evaluate_every=5),
    measurement=replace(Measurement.nothing(), ntk_samples=50, ntk_draws=3, spectrum_epochs=(0, 7)),
)
# One operation takes 2 ps in training and 3 ps in an NTK.
UNITS = UnitCosts(
    {
        "start_up": {"seconds": 10.0, "compiled": 4.0, "memory": 4e8},
        "parameter": 1e-6,
        "step": 1e-3,
        "spectra": {"rows": 1280, "eigenvalues": 0.05, "alignments": 0.2},
        "dense": [{"forward": 1, "training": 2e-12, "NTKs": 3e-12}],
    }
)


def price(settings=FULL_BATCH, seeds=range(5), sizes=SIZES, units=UNITS):
    return training_price(settings, seeds, 110.0, sizes, units)


def changed(settings, part, key, value):
    return replace(settings, **{part: replace(getattr(settings, part), **{key: value})})


def test_full_batch_training_by_hand():
    # 240 epochs, whole calls, are run to see epoch 220 pass. NTKs at 0, 1, 2, 10, 11 and the minimum.
    seconds = price().seconds
    kernels = 6 * operations.kernel(LAYERS, 128) + 60 * operations.trace(LAYERS, 128)
    assert seconds == pytest.approx(
        {
            "start-up": 10.0,
            "training": 5 * 240 * ((300 + 500) * FORWARD * 2e-12 + PARAMETERS * 1e-6),
            "NTKs": 5 * kernels * 3e-12,
            "spectra": 5 * (5 * 0.05 + 3 * 0.2),
        }
    )


def test_mini_batch_training_by_hand():
    # Passes of four steps; losses of all samples at epochs 0, 5, 7, 10, 15 and 20; three NTKs twice.
    seconds = price(MINI_BATCH, range(5, 7)).seconds
    products = (20 * 300 + 6 * (100 + 500)) * FORWARD * 2e-12
    assert seconds == pytest.approx(
        {
            "start-up": 4.0,
            "training": 2 * (products + 20 * 4 * (PARAMETERS * 1e-6 + 1e-3)),
            "NTKs": 2 * 6 * operations.kernel(LAYERS, 50) * 3e-12,
            "spectra": 2 * 6 * 0.05 * (500 / 1280) ** 3,
        }
    )


@pytest.mark.parametrize(
    ("target", "width", "batch_size", "epochs"),
    [
        # Whole calls of 20 epochs, until the slowest minimum is behind.
        (110, 8, None, 240),
        (200, 8, None, 300),
        (1000, 8, None, 400),
        # Whole steps of 7 epochs, until each member's own minimum is behind.
        (110, 8, 32, 224),
        (200, 8, 32, 245),
        (1000, 8, 32, 400),
        (110, 64, None, 224),
        (200, 64, None, 245),
    ],
)
def test_training_goes_on_until_the_minimum_is_behind(target, width, batch_size, epochs):
    settings = changed(changed(FULL_BATCH, "recipe", "batch_size", batch_size), "recipe", "evaluate_every", 7)
    settings = changed(settings, "network", "width", width)
    members = prices._Members(Point(settings.network, settings.data), settings.recipe, 1, SIZES)
    assert members.epochs(target) == epochs


def test_wide_networks_are_evaluated_on_the_grid_and_in_the_search():
    settings = changed(changed(FULL_BATCH, "network", "width", 64), "recipe", "evaluate_every", 16)
    layers = operations.layers_of(settings.network, SIZES.image_shape, SIZES.classes)
    # Epochs 0, 16, ..., 224; a search of 3 and 14 evaluations, whose passes repeat up to 64 epochs.
    passes = 3 * (224 + 64) * 100 + 15 * (100 + 500) + 17 * 500
    products = passes * operations.forward(layers) * 2e-12
    updates = 224 * operations.parameters(layers) * 1e-6
    assert price(settings).seconds["training"] == pytest.approx(5 * (products + updates))


def test_training_for_a_fixed_number_of_epochs_searches_no_minimum():
    fixed = changed(changed(FULL_BATCH, "network", "width", 64), "recipe", "stop", Stop.fixed(32))
    seconds = price(changed(fixed, "recipe", "evaluate_every", 16)).seconds["training"]
    layers = operations.layers_of(fixed.network, SIZES.image_shape, SIZES.classes)
    products = (3 * 32 * 100 + 3 * (100 + 500)) * operations.forward(layers) * 2e-12
    assert seconds == pytest.approx(5 * (products + 32 * operations.parameters(layers) * 1e-6))


def test_a_calibration_is_its_trials():
    trial = price(seeds=range(3))
    settings = CalibrationSettings(
        curve=FULL_BATCH.curve,
        subset=FULL_BATCH.subset,
        points=(ScaledPoint(NETWORK, DATA, scale=8), ScaledPoint(NETWORK, DATA, scale=16)),
        recipe=RECIPE,
        window=(55, 220),
        seeds=3,
        tolerance=1.2,
        share_inside=0.6,
        max_trials=8,
        first_rate=0.001,
    )
    own = calibration_price(settings, SIZES, UNITS)
    training = 2 * prices.TRIALS_PER_ANCHOR * trial.seconds["training"]
    assert own.seconds == pytest.approx({"start-up": 20.0, "training": training})
    assert own.memory < trial.memory


@pytest.mark.parametrize("settings", [FULL_BATCH, MINI_BATCH])
def test_seeds_together_take_what_they_take_apart(settings):
    whole, first, second = (price(settings, seeds) for seeds in (range(5), range(2), range(2, 5)))
    for part in ("training", "NTKs", "spectra"):
        assert whole.seconds[part] == pytest.approx(first.seconds[part] + second.seconds[part])
    assert whole.disk == pytest.approx(first.disk + second.disk)
    assert (first.seconds["start-up"], second.seconds["start-up"]) == (10.0, 4.0)


@pytest.mark.parametrize("settings", [FULL_BATCH, MINI_BATCH])
@pytest.mark.parametrize(
    ("part", "key", "values"),
    [
        ("network", "width", [8, 64, 300, 5000]),
        ("network", "hidden_layers", [1, 2, 7]),
        ("data", "train_samples", [64, 100, 900]),
        ("measurement", "ntk_samples", [20, 64, 300]),
        ("measurement", "ntk_draws", [1, 2, 5]),
        ("measurement", "spectrum_epochs", [(0,), (0, 5), (0, 5, 9)]),
        ("measurement", "trace_every", [8, 4, 1]),
    ],
)
def test_more_of_anything_costs_more(settings, part, key, values):
    costs = [price(changed(settings, part, key, value), units=read_unit_costs()) for value in values]
    for quantity in ("core_seconds", "gpu_seconds", "memory", "disk"):
        numbers = [getattr(cost, quantity) for cost in costs]
        assert numbers == sorted(numbers)
        assert quantity != "core_seconds" or len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("settings", [FULL_BATCH, MINI_BATCH])
def test_members_of_a_job_are_held_together(settings):
    wide = changed(settings, "network", "width", 3000)
    layers = operations.layers_of(wide.network, SIZES.image_shape, SIZES.classes)
    copies = 4 * prices.COPIES_OF_PARAMETERS * operations.parameters(layers)
    one, two, three = (price(wide, range(members)).memory for members in (1, 2, 3))
    assert copies < two - one < 1.2 * copies
    assert three - two == pytest.approx(two - one)


def test_pieces_of_an_ntk_keep_within_what_it_may_hold():
    assert prices.PIECES_MEMORY == ntk.MEMORY
    network = replace(NETWORK, convolutions=3, hidden_layers=1, width=64)
    units = read_unit_costs()

    def held(samples):
        settings = replace(changed(MINI_BATCH, "measurement", "ntk_samples", samples), network=network)
        matrices = 4 * (4 + 3) * (10 * samples) ** 2
        return price(settings, range(1), Sizes((32, 32, 3), 10, 1000, 500, 500), units).memory - matrices

    assert held(20) < held(40) < held(8000)
    assert held(8000) == pytest.approx(held(9000))


def test_images_of_another_size_are_priced_at_that_size():
    as_large = SIZES._replace(image_shape=(16, 16, 1))
    resized = price(changed(FULL_BATCH, "data", "image_size", ImageSize(pixels=16, fit="resized")))
    assert resized.core_seconds == price(sizes=as_large).core_seconds > price().core_seconds
    assert resized.memory > price(sizes=as_large).memory  # both sizes are there


def test_fewer_test_samples_are_priced_as_such():
    fewer = price(changed(FULL_BATCH, "data", "test_samples", 100))
    assert fewer.core_seconds == price(sizes=SIZES._replace(test=100)).core_seconds < price().core_seconds
    assert price(changed(FULL_BATCH, "data", "test_samples", SIZES.test)) == price()


@pytest.mark.parametrize(("size", "rate"), [(2, 1.0), (10, 1.0), (100, 2.0), (1000, 4.0), (100_000, 4.0)])
def test_rates_lie_between_those_that_were_measured(size, rate):
    layers = [operations.Layer(1, size // 2, 1)]
    assert operations.forward(layers) == size
    measured = [{"forward": 10, "training": 1.0}, {"forward": 1000, "training": 4.0}]
    assert UnitCosts({"dense": measured}).work("training", layers, 7) == pytest.approx(7 * rate)


def test_spectra_go_with_the_cube_of_the_rows():
    assert UNITS.spectrum("eigenvalues", 2560) == pytest.approx(8 * 0.05)
    assert UNITS.spectrum("alignments", 640) == pytest.approx(0.2 / 8)
