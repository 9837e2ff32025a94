"""Defaults follow other keys, so that no message names a key that a config does not have."""

import pytest
from ntklens.data.registry import names
from ntklens.planning.config import Config, ConfigError, following, load
from ntklens.planning.curves import curves
from ntklens.planning.settings import analysis_settings, measurement_settings, recipe_settings

from tests.support.small_config import BY_WIDTH, SIZES, WIDTHS, changed, small, without

# Besides the default window: the smoke config's, the paper's, the shortest, narrow, wide and late ones.
WINDOWS = [(20, 60), (400, 1000), (1, 3), (3, 4), (399, 400), (1, 400), (7, 9), (20_000, 333_333)]
NOISE = {"dataset": "digits", "removed_percent": [0], "train_samples": 60, "learning_rate": 0.05}
FIXED = {"axis": "width", "dataset": "digits", "networks": ["three-layer"], "scales": [8], "recipe": "fixed"}


def with_window(first: int, last: int) -> Config:
    return load(changed(("training", "window"), {"first": first, "last": last}))


@pytest.mark.parametrize("window", WINDOWS)
def test_window_alone_makes_a_config(window: tuple[int, int]) -> None:
    config = with_window(*window)
    training = config.training
    assert training.max_epochs == 3 * window[1]
    assert training.spectrum_epochs[0] == 0
    assert training.spectrum_epochs[-1] <= window[1]
    assert config.smoothing_epochs % training.trace_every == 0
    assert analysis_settings(config, BY_WIDTH).smoothing_epochs == config.smoothing_epochs
    assert measurement_settings(config, BY_WIDTH).spectrum_epochs == training.spectrum_epochs
    assert recipe_settings(config, BY_WIDTH).stop.max_epochs == training.max_epochs


def test_default_window_has_the_defaults_that_it_always_had() -> None:
    config = load(small())
    training = config.training
    assert (training.window.first, training.window.last, training.max_epochs) == (160, 400, 1200)
    assert (training.test_every, training.trace_every, config.smoothing_epochs) == (16, 2, 8)
    assert training.spectrum_epochs == (0, 10, 20, 30, 45, 60, 80, 110, 140, 180, 220, 260)
    assert (config.ntk_samples, config.ensemble.seeds, config.ensemble.min_members) == (128, 5, 3)


def test_window_of_the_paper_gives_its_smoothing() -> None:
    config = with_window(400, 1000)
    assert (config.training.trace_every, config.smoothing_epochs) == (5, 20)
    assert config.training.spectrum_epochs[-3:] == (450, 550, 650)


def test_window_a_fourth_as_late_has_a_fourth_of_the_epochs() -> None:
    training = with_window(40, 100).training
    assert (training.max_epochs, training.test_every, training.trace_every) == (300, 4, 1)
    assert training.spectrum_epochs == (0, 2, 5, 8, 11, 15, 20, 28, 35, 45, 55, 65)


@pytest.mark.parametrize(
    ("given", "window"),
    [
        ({"last": 100}, (40, 100)),
        ({"last": 500}, (160, 500)),
        ({"last": 3}, (1, 3)),
        ({"first": 200}, (200, 400)),
        ({"first": 401}, (401, 1003)),
        ({"first": 300_000}, (300_000, 333_333)),
    ],
)
def test_half_a_window_gets_its_other_half(given: dict[str, int], window: tuple[int, int]) -> None:
    loaded = load(changed(("training", "window"), given)).training.window
    assert (loaded.first, loaded.last) == window


@pytest.mark.parametrize(("step", "smoothing"), [(1, 8), (3, 9), (5, 10), (20, 20)])
def test_smoothing_is_a_multiple_of_the_step_of_traces(step: int, smoothing: int) -> None:
    assert load(changed(("training", "trace_every"), step)).smoothing_epochs == smoothing


@pytest.mark.parametrize(
    ("config", "key"),
    [
        (changed(("training",), {"window": {"first": 1, "last": 2}}), "training.window"),
        (changed(("training",), {"trace_every": 200}), "training.trace_every"),
        (changed(("training",), {"max_epochs": 410, "window": {"first": 399, "last": 400}}), "training.max"),
        (changed(("training",), {"max_epochs": 400}), "training.max_epochs"),
        (changed(("training",), {"window": {"last": 1_000_000}}), "training.window.last"),
        (changed(("training",), {"window": {"first": "early"}}), "training.window.first"),
        (changed(("training",), {"window": {"first": 1_000_000}}), "training.window"),
        (changed(("test_samples",), "many"), "test_samples"),
        (changed(("ensemble",), {"seeds": 0}), "ensemble.seeds"),
    ],
)
def test_message_names_a_key_that_is_given(config: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(config)
    assert str(caught.value).startswith(f"config key '{key}")


def test_few_seeds_and_few_test_samples_suffice() -> None:
    config = load({**small(), "test_samples": 60, "ensemble": {"seeds": 2}})
    assert (config.ntk_samples, config.ensemble.min_members) == (60, 2)


@pytest.mark.parametrize(
    ("test_samples", "draws", "samples"), [(500, 3, 166), (1200, 3, 400), (10_000, 3, 400), (64, 2, 32)]
)
def test_draws_of_noise_scaling_share_the_test_samples(test_samples: int, draws: int, samples: int) -> None:
    assert following.noise_ntk_samples(test_samples, draws) == samples


def test_noise_scaling_takes_the_default_s_epochs_up_to_its_last() -> None:
    config = load(changed(("studies", "noise-scaling"), [{**NOISE, "epochs": 50}]))
    (entry,) = config.entries["noise-scaling"]
    assert entry.spectrum_epochs == (0, 1, 2, 4, 7, 12, 20, 35, 50)
    assert entry.ntk_samples == 166
    (entry,) = load(changed(("studies", "noise-scaling"), [NOISE])).entries["noise-scaling"]
    assert entry.spectrum_epochs == following.NOISE_SPECTRUM_EPOCHS


@pytest.mark.parametrize(
    ("epochs", "last"),
    [
        (100, (60, 80, 100)),
        (110, (60, 80, 110)),
        (900, (180, 220, 260)),
    ],
)
def test_recipe_with_fixed_epochs_takes_those_of_training_up_to_its_last(
    epochs: int, last: tuple[int, ...]
) -> None:
    config = small()
    config["recipes"] = {"fixed": {"epochs": epochs, "learning_rate": 0.1}}
    config["studies"]["own"] = [FIXED]
    loaded = load(config)
    (curve,) = curves(loaded, "own")
    assert measurement_settings(loaded, curve).spectrum_epochs[-3:] == last


def test_figures_show_a_network_that_is_trained() -> None:
    assert load(small()).model_scaling_network == "three-layer"
    assert load(changed((*WIDTHS, "networks"), ["four-layer"])).model_scaling_network == "four-layer"
    assert load(without(WIDTHS[:2])).model_scaling_network == "three-layer"


@pytest.mark.parametrize("dataset", names())
def test_every_dataset_makes_a_small_config(dataset: str) -> None:
    assert load({**changed((*WIDTHS, "dataset"), dataset)}).entries["model-scaling"][0].dataset == dataset
    assert load(changed((*SIZES, "dataset"), dataset)).ntk_samples == 128
