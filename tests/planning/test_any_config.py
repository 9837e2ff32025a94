"""Whatever a config holds, it is loaded or refused in one line that names the key."""

import datetime
import math
import os
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ntklens.planning.config import ConfigError, load
from ntklens.planning.config.names import longest_file_name
from ntklens.planning.config.points import dataset_name
from ntklens.planning.curves import batches, point_name
from ntklens.planning.paths import BATCH_KEY, checkpoint
from ntklens.storage.curve import Curve
from ntklens.storage.files import whole_file

from tests.support.small_config import SIZES, WIDTHS, changed, small

SMOKE = yaml.safe_load((Path(__file__).parents[2] / "config/smoke.yaml").read_text(encoding="utf-8"))
LONGEST = 600  # characters of a message
OWN = {
    "axis": "width",
    "dataset": "own.npz",
    "networks": ["three-layer"],
    "scales": [8],
    "learning_rate": 0.1,
}
FULL = {
    **SMOKE,
    "optimizer": {"b1": 0.9, "b2": 0.99, "eps": 1e-8},
    "recipes": {"own": {"optimizer": "sgd", "momentum": 0.5, "batch_size": 8, "evaluate_every": 2}},
    "figures": {"dataset": "digits", "model_scaling_network": "three-layer"},
    "studies": {**SMOKE["studies"], "own": [{**OWN, "seeds": 3, "spectrum_epochs": [0, 10]}]},
}


def paths(value, path=()):
    """Every place in ``value``, as a tuple of keys and indices."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from paths(inner, (*path, key))


def replaced(value, path, new):
    """``value`` with ``new`` at ``path``; a last key that is not there is added."""
    if not path:
        return new
    first, *rest = path
    inner = value[first] if not isinstance(value, dict) or first in value else None
    if isinstance(value, dict):
        return {**value, first: replaced(inner, rest, new)}
    return [replaced(own, rest, new) if index == first else own for index, own in enumerate(value)]


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["digits", "three-layer", "1e-3", "own.npz", "\ud800", "a\n", "\0", "null", "x" * 5000])
    | st.sampled_from([10**9, 10**30, 10**400, -1, 0, 100_000])
    | st.dates()
)
KEYS = st.text(max_size=5) | st.integers() | st.booleans() | st.none() | st.dates()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=6,
)
PLACES = st.sampled_from(list(paths(FULL)))


def refusal(config):
    """The message with which ``config`` is refused, once it has been looked at; None if it is loaded."""
    try:
        load(config)
    except ConfigError as error:
        message = str(error)
        assert len(message) <= LONGEST
        assert message.isprintable()
        assert "pydantic" not in message
        assert "Input" not in message
        assert message.startswith(("config key '", "the config "))
        return message
    return None


def test_the_config_that_is_changed_is_valid():
    load(FULL)


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=PLACES, value=VALUES)
@example(path=("training",), value=None)
@example(path=("studies", "own", 0, "scales"), value=[1, [2]])
def test_any_value_at_any_key_is_loaded_or_refused_in_one_line(path, value):
    refusal(replaced(FULL, path, value))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=PLACES, key=KEYS, value=VALUES)
def test_any_further_key_is_loaded_or_refused_in_one_line(path, key, value):
    refusal(replaced(FULL, (*path[:-1], key) if path and isinstance(path[-1], str) else (key,), value))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=PLACES, value=st.sampled_from([math.nan, math.inf, [None], {"?": 1}, datetime.date(2026, 1, 1)]))
def test_a_value_that_fits_nowhere_is_refused_and_the_key_is_named(path, value):
    message = refusal(replaced(FULL, path, value))
    assert message is not None
    keys = [str(key) for key in path if isinstance(key, str)]
    assert all(key in message for key in keys)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("training",), None, "'training' is empty: write its keys below it, or leave the key out."),
        (("studies",), None, "'studies' is empty: write its keys below it. "),
        (("studies", "model-scaling"), None, "'studies.model-scaling' is empty: list its items"),
        (("networks", "three-layer"), None, "'networks.three-layer' is empty"),
        (("name",), "laptop\n", r"'name' is 'laptop\n', but must be a name of at most 100"),
        (("name",), "a" * 101, "…, but must be a name of at most 100"),
        (("networks",), {"a" * 101: {"hidden_layers": 1}}, "has the network name 'aaa"),
        (("recipes",), {"a\n": {}}, r"has the recipe name 'a\n'"),
        (("data_dir",), "a\0b", r"is 'a\x00b', but must not hold characters that cannot be printed"),
        (("data_dir",), "\ud800", r"is '\ud800', but must not hold characters"),
        (("data_dir",), "", "is '', but must not be empty"),
        ((*WIDTHS, "dataset"), "a\0.npz", "must not hold characters"),
        (("training", "patience"), math.inf, "is inf, but must be a finite number"),
        ((*WIDTHS, "learning_rate"), math.nan, "is nan, but must be a finite number"),
        ((*WIDTHS, "learning_rate"), "1e999", "is '1e999', but must be a finite number"),
        ((*WIDTHS, "learning_rate"), True, "is true, but must be a number"),
        ((*WIDTHS, "learning_rate"), "0x10", "is '0x10', but must be a number"),
        (("training", "patience"), 10**400, "must be a finite number"),
        (("ensemble", "seeds"), 10**30, f"is {10**30}, but must be at most 100000"),
        (("networks", "deep"), {"hidden_layers": 10**9}, "must be at most 1000"),
        (("training", "window", "last"), 10**9, "must be at most 333333"),
        ((*WIDTHS, "widths"), [[8]], "widths[0]' is [8], but must be an integer"),
        ((*WIDTHS, "widths"), {"8": 8}, "widths' is {'8': 8}, but must be a list"),
        (
            ("training", 1),
            2,
            "has the key 1, which YAML does not read as a string: put it in quotes",
        ),
        (("studies", True), [], "has the study name true, which"),
        (("networks", datetime.date(2026, 1, 1)), {}, "has the network name 2026-01-01, which"),
    ],
)
def test_value_that_cannot_be_used_is_refused_in_plain_words(path, value, expected):
    message = refusal(changed(path, value))
    assert expected in (message or "")


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (
            ("analysis", "smoothing_epochs"),
            400,
            "400 epochs takes 202 traces (training.trace_every: 2), but a seed",
        ),
        (("training", "test_every"), 401, "401 must not exceed the window's last epoch, 400"),
        (("training", "patience"), 5, "5 times the window's middle, epoch 253, is beyond max_epochs, 1200"),
        (("recipes", "own"), {"batch_size": 8, "epochs": 5, "evaluate_every": 6}, "6 must not exceed the 5"),
        (("name",), "datasets", "results/datasets belongs to all configs; take another name"),
        (("data_dir",), "ü" * 2049, "must be at most 4096 bytes long"),
        (("optimizer", "b2"), 0.9999999, "must be at most 0.999999"),
        (("optimizer", "eps"), 1e-300, "must be at least 1e-30"),
        (("calibration", "first_rate"), 1e39, "must be at most 1000000"),
        (("calibration", "tolerance"), 1e300, "must be at most 1000000"),
        (("training", "save_parameters"), 10**9, "must be at most 100000"),
        (("checkpoint_seconds",), 1e300, "must be at most 10000000"),
        (("jobs_per_gpu",), 1001, "must be at most 1000"),
        ((*WIDTHS, "learning_rate"), 1e-300, "must be at least 1e-12"),
    ],
)
def test_value_that_makes_no_sense_beside_the_others_or_in_float32_is_refused(path, value, expected):
    assert expected in refusal(changed(path, value))


def test_smoothing_that_leaves_three_running_means_is_accepted():
    assert refusal(changed(("analysis", "smoothing_epochs"), 300)) is None
    assert "takes 153 traces" in refusal(changed(("analysis", "smoothing_epochs"), 302))


def test_curves_that_would_share_their_logs_are_refused():
    config = small()
    config["studies"]["w"] = [{**OWN, "dataset": "x-y.npz"}]
    config["studies"]["w-x"] = [{**OWN, "dataset": "y.npz"}]
    assert "logs of w-x/y/three-layer would have the names of those of w/x-y/three-layer" in refusal(config)


def test_curves_whose_files_would_have_too_long_names_are_refused(tmp_path):
    """.partial-{study}-{dataset}-{network}-width-16-seeds-11-11-xxxxxxxx.npz"""
    dataset, study = save(tmp_path / f"{'d' * 100}.npz", samples=2000), "s" * 50
    config, networks = small(), {size: size * "n" for size in (60, 61)}
    config["networks"] = {name: {"hidden_layers": 2} for name in networks.values()}
    own = {**OWN, "dataset": dataset, "scales": [16, 8], "seeds": 12}
    config["studies"] = {study: [{**own, "networks": [networks[60]]}]}
    assert refusal(config) is None
    config["studies"] = {study: [{**own, "networks": list(networks.values())}]}
    assert refusal(config) == (
        f"config key 'studies.{study}[0]': checkpoints of {study}/{'d' * 100}/{networks[61]} would have "
        "names of 256 bytes, more than the 255 that file systems take; shorten the name of the study, the "
        "dataset or the network"
    )


def test_the_longest_name_is_that_of_a_half_written_checkpoint(tmp_path):
    config = load(small())
    study, entry = next((study, entries[0]) for study, entries in config.entries.items() if entries)
    curve = Curve(study, dataset_name(entry.dataset), entry.networks[0])
    scale = max(entry.scales)
    first, last = batches(config, curve, scale)[-1]
    where = {**curve._asdict(), "point": point_name(config, curve, scale), "first": first, "last": last}
    path = tmp_path / checkpoint(config.name, BATCH_KEY).format(**where)
    with whole_file(path) as temporary:
        assert len(temporary.name) <= len(longest_file_name(config, "/".join(curve), entry))
        assert len(temporary.name) >= len(longest_file_name(config, "/".join(curve), entry)) - 1


def save(path, side=8, classes=3, samples=700):
    labels = np.arange(samples) % classes
    np.savez(path, images=np.zeros((samples, side, side), np.uint8), labels=labels)
    return str(path)


def with_file(path, **changes):
    entry = {"dataset": path, "train_samples": 60, "removed_percent": [0], "ntk_samples": 50}
    return changed(("studies", "noise-scaling"), [{**entry, **changes}])


def test_own_file_is_checked_like_a_dataset_of_the_registry(tmp_path):
    own = save(tmp_path / "own.npz")
    assert refusal(with_file(own)) is None
    assert "61 samples cannot be equally many of each of own's 3 classes" in refusal(
        with_file(own, train_samples=61)
    )
    assert "300 is more than own's training pool of 200" in refusal(with_file(own, train_samples=300))
    assert "measures 501 test samples in all, but own gives 500" in refusal(with_file(own, ntk_samples=167))
    small_images = save(tmp_path / "tiny.npz", side=4)
    assert "images of 4 pixels a side are too small for the pooling of 3" in refusal(with_file(small_images))


@pytest.mark.parametrize("content", [b"", b"no zip file", b"PK\5\6" + bytes(18)])
def test_own_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "own.npz"
    path.write_bytes(content)
    assert f"config key 'studies.noise-scaling[0].dataset': {path}" in refusal(with_file(str(path)))


def test_own_file_of_one_class_or_no_file_at_all_is_refused(tmp_path):
    own = save(tmp_path / "own.npz", classes=1)
    assert "but a network needs two or more classes" in refusal(with_file(own))
    (tmp_path / "folder.npz").mkdir()
    assert "is no file" in refusal(with_file(str(tmp_path / "folder.npz")))
    os.mkfifo(tmp_path / "pipe.npz")
    assert "is no file" in refusal(with_file(str(tmp_path / "pipe.npz")))


@pytest.mark.parametrize("content", [None, {}, [], "config", 3])
def test_file_without_keys_is_refused(content):
    assert refusal(content).startswith("the config ")


@pytest.mark.parametrize("text", ["1e-3", "5E-4", "1.0e-3", "0.001", "1e+0"])
def test_number_in_the_notation_of_yaml_1_2_is_a_number(text):
    value = yaml.safe_load(text)
    config = load(changed((*WIDTHS, "learning_rate"), value))
    assert config.studies.model_scaling[0].learning_rate == float(text)


@pytest.mark.parametrize(
    ("path", "value", "user"),
    [
        (("studies", "own"), [{**OWN, "sigma": 0.01}], "only the axis removed_share uses it"),
        (
            ("studies", "own"),
            [{**OWN, "image_fit": "resized"}],
            "a study with an image_size uses it",
        ),
        (("studies", "own"), [{**OWN, "width": 8}], "only an axis other than width uses it"),
        (
            ("studies", "own"),
            [{**OWN, "axis": "train_samples", "train_samples": 9}],
            "only an axis other than train_samples uses it",
        ),
        (("studies", "own"), [{**OWN, "vary": "data", "draw_seed": 1}], "vary in the initialisation alone"),
        (("recipes", "own"), {"momentum": 0.5}, "only the optimizer sgd uses it"),
        (("recipes", "own"), {"evaluate_every": 1}, "only a recipe with a batch_size uses it"),
        (
            ("networks",),
            {"n": {"hidden_layers": 1, "filters": 3}},
            "only a network with convolutions",
        ),
        (("networks",), {"n": {"hidden_layers": 1, "pooling": "max"}}, "only a network with convolutions"),
        (("networks",), {"n": {"hidden_layers": 1, "kernel_size": 3}}, "only a network with convolutions"),
    ],
)
def test_key_without_an_effect_is_refused_and_says_what_uses_it(path, value, user):
    message = refusal(changed(path, value))
    assert "has no effect here" in message
    assert user in message


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"scales": list(range(1, 100_001))}, None),
        ({"scales": list(range(1, 10_001)), "dataset": "digits"}, None),  # types are checked at every scale
        ({"scales": [*range(1, 100_001), "x"]}, "scales[100000]' is 'x', but must be an integer"),
        ({"scales": [7] * 100_000}, "must not repeat an item, but 7 is repeated"),
        ({"scales": ["x"] * 100_000}, "scales[0]' is 'x'"),
        ({"scales": list(range(100_001)), "axis": "depth"}, "at least 1"),
        ({"scales": [1, 2000], "axis": "depth"}, "2000 hidden layers are more than 1000"),
    ],
)
def test_many_scales_are_looked_at_in_seconds(changes, expected):
    config = changed(("studies", "own"), [{**OWN, "width": 8, **changes}])
    if config["studies"]["own"][0]["axis"] == "width":
        del config["studies"]["own"][0]["width"]
    start = time.perf_counter()
    message = refusal(config)
    assert time.perf_counter() - start < 20  # a second or two on a core of its own
    assert message is None if expected is None else expected in message


def test_the_first_error_in_the_configs_own_order_is_reported():
    config = {"test_samples": 0, **small(), "ntk_samples": 0}
    assert "'test_samples'" in refusal(config)
    config = {"ntk_samples": 0, **small(), "test_samples": 0}
    assert "'ntk_samples'" in refusal(config)
    config = changed((*SIZES, "width"), "x")
    config["studies"] = dict(reversed(config["studies"].items()))
    config["studies"]["model-scaling"][0]["widths"] = "x"
    assert "data-scaling[0].width" in refusal(config)


def test_many_unknown_keys_are_not_all_listed():
    message = refusal({**small(), **{f"key-{index}-{'x' * 100}": 1 for index in range(1000)}})
    assert "and 997 more" in message


def test_integer_that_python_refuses_to_write_is_refused():
    message = refusal(changed(("ensemble", "seeds"), 1 << 20000))
    assert "is a number of thousands of digits, but must be at most 100000" in message


def test_aliases_that_stand_for_a_giant_value_are_not_written_out():
    value = "x"
    for _ in range(40):
        value = [value] * 10
    assert "must be a string" in refusal(changed(("name",), value))


def test_value_that_holds_itself_is_refused():
    value = []
    value.append(value)
    assert "must be an integer" in refusal(changed((*WIDTHS, "widths"), value))
