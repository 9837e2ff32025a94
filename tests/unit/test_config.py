import copy
import json
from pathlib import Path

import pytest
import yaml
from ntklens.config import ConfigError, complete
from ntklens.datasets import REGISTRY
from ntklens.studies import (
    calibration_settings,
    curves,
    scales,
    training_settings,
)
from small_config import BY_SIZE, BY_WIDTH, SIZES, WIDTHS, changed, small, without

SHIPPED = sorted((Path(__file__).parents[2] / "config").glob("*.yaml"))
# where, value, what is said about the key there
INVALID = [
    (("test_samples",), "many", "is 'many', but must be of type integer"),
    (("test_samples",), 2.5, "must be of type integer"),
    (("test_samples",), 0, "must be at least 1"),
    (("test_samples",), 1797, "1797 must not exceed the 1796 that digits can give"),
    (("ntk_samples",), 501, "501 must not exceed test_samples, 500"),
    (("data_dir",), 3, "must be of type string or null"),
    (("name",), "a/b", "must match"),
    (("ensemble",), None, "must be of type object"),
    (("ensemble", "seeds"), True, "must be of type integer"),
    (("ensemble", "min_members"), 6, "6 must not exceed ensemble.seeds, 5"),
    (("networks",), {}, "must have at least 1 entry"),
    (("networks",), {"a/b": {"hidden_layers": 2}}, "'a/b', but must match"),
    (("networks", "deep"), {"layers": 9}, "unknown key 'layers'; allowed are hidden_layers"),
    (("networks", "deep", "hidden_layers"), 0, "must be at least 1"),
    (("optimizer", "b1"), 1, "must be less than 1"),
    (("optimizer", "eps"), 0, "must be more than 0"),
    (("training",), {"speed": 1}, "unknown key 'speed'; allowed are max_epochs, patience,"),
    (("training", "patience"), 1, "must be more than 1"),
    (("training", "trace_every"), 0, "must be at least 1"),
    (("training", "window"), {"first": 300, "last": 200}, "first (300) must come before last (200)"),
    (("training", "window"), {"first": 200, "last": 200}, "first (200) must come before last (200)"),
    (("training", "max_epochs"), 400, "400 must be more than the window's last epoch, 400"),
    (("training", "spectrum_epochs"), [], "must list at least 1 item"),
    (("training", "spectrum_epochs"), [0, 0], "must not repeat an item"),
    (("training", "spectrum_epochs"), [0, 20, 10], "must ascend from 0"),
    (("training", "spectrum_epochs"), [10, 20], "must ascend from 0"),
    (("training", "spectrum_epochs"), [0, 401], "window's last epoch, 400"),
    (("calibration", "tolerance"), 1, "must be more than 1"),
    (("calibration", "first_rate"), "1e-3", "must be of type number"),
    (("analysis", "smoothing_epochs"), 7, "7 must be a multiple of training.trace_every, 2"),
    (("studies",), {}, "must have at least 1 entry"),
    (("studies",), {"time-scaling": []}, "'time-scaling'; allowed are data-scaling, model-scaling"),
    (("studies", "model-scaling"), [], "must list at least 1 item"),
    ((*WIDTHS,), {"sizes": [40]}, "unknown key 'sizes'; allowed are calibrate_at, dataset,"),
    ((*WIDTHS, "dataset"), "cifar", "unknown 'cifar'; allowed are mnist-5k, digits, mnist"),
    ((*WIDTHS, "networks"), [], "must list at least 1 item"),
    ((*WIDTHS, "networks"), ["deep"], "unknown 'deep'; allowed are three-layer, four-layer"),
    ((*WIDTHS, "widths"), 8, "must be of type array"),
    ((*WIDTHS, "widths"), [], "must list at least 1 item"),
    ((*WIDTHS, "widths"), [8, 8], "must not repeat an item"),
    ((*WIDTHS, "widths", 1), 0, "is 0, but must be at least 1"),
    ((*WIDTHS, "widths", 1), 16.0, "must be of type integer"),
    ((*WIDTHS, "calibrate_at"), [65], "within a factor 2 of every scale from 8 to 32"),
    ((*WIDTHS, "calibrate_at"), [15], "within a factor 2 of every scale from 8 to 32"),
    ((*WIDTHS, "learning_rate"), 0, "must be more than 0"),
    ((*WIDTHS, "train_samples"), 325, "more than a quarter of digits's pool of 1297"),
    ((*SIZES, "sizes"), [40, 325], "more than a quarter of digits's pool of 1297"),
    ((*SIZES, "calibrate_at"), [40, 325], "more than a quarter of digits's pool of 1297"),
    ((*SIZES, "vary_initialisation"), 1, "must be of type boolean"),
    (("figures", "dataset"), "mnist", "unknown 'mnist'; allowed are digits"),
    (("figures", "model_scaling_network"), "deep", "allowed are four-layer, three-layer"),
]


def dotted(path):
    """("a", 0, "b") as messages write it: a[0].b."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")


def name_of(parameter):
    return dotted(parameter) if isinstance(parameter, tuple) else None


@pytest.mark.parametrize(("path", "value", "rule"), INVALID, ids=name_of)
def test_invalid_value_raises_and_names_key_and_rule(path, value, rule):
    with pytest.raises(ConfigError) as caught:
        complete(changed(path, value))
    message = str(caught.value)
    assert message.startswith(f"config key '{dotted(path)}'")
    assert rule in message
    assert "\n" not in message


def test_unknown_section_raises_and_names_the_allowed_ones():
    with pytest.raises(
        ConfigError, match=r"^the config has the unknown key 'colour'; allowed are analysis, "
    ):
        complete(changed(("colour",), "blue"))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (("studies",), "the config lacks the key studies"),
        (("name",), "the config lacks the key name"),
        ((*WIDTHS, "widths"), r"config key 'studies\.model-scaling\[0\]' lacks the key widths"),
        ((*SIZES, "calibrate_at"), r"config key 'studies\.data-scaling\[0\]' lacks the key calibrate_at"),
    ],
)
def test_missing_key_raises_and_names_it(path, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        complete(without(path))


def test_message_repeats_what_the_key_means():
    with pytest.raises(ConfigError, match="Held-out samples on which the test loss is measured"):
        complete(changed(("test_samples",), 0))


def test_duplicate_dataset_raises():
    config = small()
    entries = config["studies"]["data-scaling"]
    entries.append(copy.deepcopy(entries[0]))
    with pytest.raises(ConfigError, match=r"studies\.data-scaling\[0\]\.dataset.*one entry a dataset"):
        complete(config)


def test_figure_network_that_is_defined_but_not_trained_raises():
    config = changed((*WIDTHS, "networks"), ["four-layer"])
    with pytest.raises(ConfigError, match=r"figures\.model_scaling_network.*'three-layer' is not trained"):
        complete(config)


def test_figure_network_does_not_matter_without_model_scaling():
    assert (
        complete(without(("studies", "model-scaling")))["figures"]["model_scaling_network"] == "three-layer"
    )


def test_more_test_samples_than_the_own_test_part_raises():
    config = changed((*WIDTHS, "dataset"), "mnist")
    config["test_samples"] = 10001
    del config["studies"]["data-scaling"]
    with pytest.raises(ConfigError, match=r"test_samples.*10000"):
        complete(config)


def test_scales_exactly_a_factor_two_beyond_the_anchors_are_accepted():
    config = changed((*WIDTHS, "widths"), [4, 64])
    assert scales(complete(config), BY_WIDTH) == [4, 64]


def test_draw_of_exactly_a_quarter_of_the_pool_is_accepted():
    config = changed((*SIZES, "sizes"), [40, 324])
    config["test_samples"] = 501
    completed = complete(config)
    assert REGISTRY["digits"].pool_size(completed["test_samples"]) == 4 * 324
    assert scales(completed, BY_SIZE) == [40, 324]


def test_given_learning_rate_lifts_the_bound_on_anchors_and_reaches_training():
    config = changed((*WIDTHS, "widths"), [8, 4096])
    config["studies"]["model-scaling"][0]["learning_rate"] = 0.02
    completed = complete(config)
    assert training_settings(completed, BY_WIDTH, 4096)["learning_rate"] == 0.02
    assert training_settings(completed, BY_SIZE, 40)["learning_rate"] is None


def test_defaults_are_filled_in():
    completed = complete(small())
    assert completed["data_dir"] is None
    assert (completed["test_samples"], completed["ntk_samples"], completed["split_seed"]) == (500, 128, 0)
    assert completed["ensemble"] == {"seeds": 5, "seeds_per_job": 5, "min_members": 3}
    assert completed["networks"] == {"three-layer": {"hidden_layers": 2}, "four-layer": {"hidden_layers": 3}}
    assert completed["optimizer"] == {"b1": 0.9, "b2": 0.999, "eps": 1e-8}
    assert completed["training"]["window"] == {"first": 160, "last": 400}
    assert completed["calibration"] == {"seeds": 3, "tolerance": 1.2, "max_trials": 8, "first_rate": 0.001}
    assert completed["studies"]["model-scaling"] == [
        {
            "dataset": "digits",
            "widths": [8, 32],
            "calibrate_at": [8, 32],
            "networks": ["three-layer", "four-layer"],
            "train_samples": 100,
            "learning_rate": None,
        }
    ]
    assert completed["studies"]["data-scaling"] == [
        {
            "dataset": "digits",
            "sizes": [40, 160],
            "calibrate_at": [40, 163],
            "networks": ["four-layer"],
            "width": 8,
            "vary_initialisation": False,
            "learning_rate": None,
        }
    ]


def test_given_values_stay_beside_defaults():
    completed = complete(changed(("training", "window"), {"last": 500}))
    assert completed["training"]["window"] == {"first": 160, "last": 500}
    assert completed["training"]["trace_every"] == 2


def test_completing_leaves_the_given_config_alone():
    config = small()
    complete(config)
    assert config == small()


def test_completing_twice_changes_nothing():
    completed = complete(small())
    assert complete(completed) == completed


def test_defaults_are_not_shared_between_entries():
    config = small()
    entries = config["studies"]["model-scaling"]
    entries.append({**entries[0], "dataset": "mnist-5k"})
    first, second = complete(config)["studies"]["model-scaling"]
    first["networks"].remove("four-layer")
    assert second["networks"] == ["three-layer", "four-layer"]


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_shipped_config_completes(path):
    completed = complete(yaml.safe_load(path.read_text()))
    for curve in curves(completed):
        json.dumps(calibration_settings(completed, curve))
        for scale in scales(completed, curve):
            json.dumps(training_settings(completed, curve, scale))


def test_three_configs_are_shipped_under_different_names():
    assert {yaml.safe_load(path.read_text())["name"] for path in SHIPPED} == {"laptop", "paper", "smoke"}
