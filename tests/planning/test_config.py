import copy
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from ntklens.data.registry import REGISTRY
from ntklens.planning.config import ConfigError, load
from ntklens.planning.curves import curves, follows_minimum, learning_rate_of, own_files, scales
from ntklens.planning.settings import calibration_settings, training_settings
from ntklens.storage.settings import as_json
from ntklens.storage.settings_reader import reader_of
from ntklens.studies.entries import ConfigRecipe, StudyEntry
from ntklens.studies.jobs import CalibrationSettings, TrainingSettings
from pydantic import ValidationError

from tests.support.small_config import BY_SIZE, BY_WIDTH, SIZES, WIDTHS, changed, small, without

SHIPPED = sorted(
    path for path in (Path(__file__).parents[2] / "config").glob("*.yaml") if path.stem != "claims"
)
# where, value, what is said about the key there
INVALID = [
    (("test_samples",), "many", "is 'many', but must be an integer"),
    (("test_samples",), 2.5, "must be an integer"),
    (("test_samples",), 0, "must be at least 1"),
    (("test_samples",), 1797, "1797 leaves no training samples: digits has 1797 samples in all"),
    (("ntk_samples",), 501, "501 must not exceed test_samples, 500"),
    (("data_dir",), 3, "must be a string or null"),
    (("precomputed",), "", "must not be empty"),
    (("precomputed",), "a{b}/c.zip", "is 'a{b}/c.zip', but must not hold braces"),
    (("precomputed",), 3, "must be a path or a list of paths"),
    (("name",), "a/b", "must be a name of at most 100 letters, digits, hyphens and underscores"),
    (("ensemble",), None, "is empty: write its keys below it, or leave the key out. How many seeds"),
    (("ensemble", "seeds"), True, "is true, but must be an integer"),
    (("ensemble", "min_members"), 6, "6 must not exceed ensemble.seeds, 5"),
    ((*WIDTHS, "seeds"), 2, "2 seeds are trained, but 3 have to end well (min_members)"),
    ((*WIDTHS, "min_members"), 9, "5 seeds are trained, but 9 have to end well (min_members)"),
    ((*WIDTHS, "seeds_per_job"), 0, "must be at least 1"),
    ((*SIZES, "seeds_per_job"), "all", "must be an integer or null"),
    (("networks",), {}, "must have at least 1 item"),
    (
        ("networks",),
        {"a/b": {"hidden_layers": 2}},
        "has the network name 'a/b'; allowed is a name of at most 100",
    ),
    (("networks", "deep"), {"layers": 9}, "unknown key 'layers'; allowed are biases, convolutions,"),
    (("networks", "deep", "hidden_layers"), 0, "must be at least 1"),
    (("optimizer", "b1"), 1, "must be at most 0.999999"),
    (("optimizer", "eps"), 0, "must be at least 1e-30"),
    (("training",), {"speed": 1}, "unknown key 'speed'; allowed are max_epochs, patience,"),
    (("training", "patience"), 1, "must be more than 1"),
    (("training", "trace_every"), 0, "must be at least 1"),
    (("training", "window"), {"first": 300, "last": 200}, "first (300) must come before last (200)"),
    (("training", "window"), {"first": 200, "last": 200}, "first (200) must come before last (200)"),
    (("training", "max_epochs"), 400, "400 must be more than the window's last epoch, 400"),
    (("training", "spectrum_epochs"), [], "must have at least 1 item"),
    (("training", "spectrum_epochs"), [0, 0], "must not repeat an item"),
    (("training", "spectrum_epochs"), [0, 20, 10], "must ascend from 0"),
    (("training", "spectrum_epochs"), [10, 20], "must ascend from 0"),
    (("training", "spectrum_epochs"), [0, 401], "window's last epoch, 400"),
    (("calibration", "tolerance"), 1, "must be more than 1"),
    (("calibration", "share_inside"), 1.1, "must be at most 1"),
    (("calibration", "first_rate"), "fast", "is 'fast', but must be a number"),
    (("analysis", "smoothing_epochs"), 7, "7 must be a multiple of training.trace_every, 2"),
    (("studies",), {}, "must have at least one study"),
    (("studies", "time-scaling"), [], "must have at least 1 item"),
    (
        ("studies",),
        {"time scaling": []},
        "has the study name 'time scaling'; allowed is a name of",
    ),
    (("studies",), {1: []}, "has the study name 1, which YAML does not read as a string: put it in quotes"),
    (("studies",), {None: []}, "has the study name null, which YAML does not read"),
    (("networks",), {7: {"hidden_layers": 2}}, "has the network name 7, which"),
    (("recipes",), {False: {}}, "has the recipe name false, which"),
    (("studies", "model-scaling"), [], "must have at least 1 item"),
    ((*WIDTHS,), {"sizes": [40]}, "unknown key 'sizes'; allowed are calibrate_at, dataset,"),
    ((*WIDTHS, "dataset"), "cifar", "unknown dataset 'cifar'; allowed are mnist-5k, mnist-5k-4, digits,"),
    ((*WIDTHS, "networks"), [], "must have at least 1 item"),
    ((*WIDTHS, "networks"), ["deep"], "unknown 'deep'; allowed are three-layer, four-layer"),
    ((*WIDTHS, "widths"), 8, "must be a list"),
    ((*WIDTHS, "dataset"), "data/{b}/own.npz", "must not hold braces"),
    ((*WIDTHS, "widths"), [], "must have at least 1 item"),
    ((*WIDTHS, "widths"), [8, 8], "must not repeat an item"),
    ((*WIDTHS, "widths", 1), 0, "is 0, but must be at least 1"),
    ((*WIDTHS, "widths", 1), 16.0, "must be an integer"),
    ((*WIDTHS, "calibrate_at"), [65], "within a factor 2 of every scale from 8 to 32"),
    ((*WIDTHS, "calibrate_at"), [15], "within a factor 2 of every scale from 8 to 32"),
    ((*WIDTHS, "learning_rate"), 0, "must be at least 1e-12"),
    ((*WIDTHS, "train_samples"), 433, "more than a third of digits's training pool of 1297"),
    ((*SIZES, "calibrate_at"), [40, 433], "more than a third of digits's training pool of 1297"),
    ((*SIZES, "vary_initialisation"), 1, "must be true or false"),
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
        load(changed(path, value))
    message = str(caught.value)
    assert message.startswith(f"config key '{dotted(path)}'")
    assert rule in message
    assert "\n" not in message


def test_key_at_the_wrong_place_raises_and_names_the_right_ones():
    with pytest.raises(
        ConfigError, match=r"^config key 'ensemble' has the unknown key 'seeds_per_job'; "
    ) as caught:
        load(changed(("ensemble", "seeds_per_job"), 5))
    papers = "studies.model-scaling[…], studies.data-scaling[…], studies.noise-scaling[…]"
    assert str(caught.value).endswith(f". 'seeds_per_job' is a key of {papers}, studies.…[…]")


def test_unknown_section_raises_and_names_the_allowed_ones():
    with pytest.raises(
        ConfigError, match=r"^the config has the unknown key 'colour'; allowed are analysis, "
    ):
        load(changed(("colour",), "blue"))


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
        load(without(path))


def test_value_that_is_none_of_the_allowed_raises_and_lists_them():
    config = changed(("networks", "deep"), {"hidden_layers": 2, "pooling": "mean"})
    with pytest.raises(ConfigError, match=r"deep\.pooling' is 'mean', but must be max or average or none"):
        load(config)


def test_message_repeats_what_the_key_means():
    with pytest.raises(ConfigError, match="Held-out samples on which the test loss is measured"):
        load(changed(("test_samples",), 0))


def test_duplicate_dataset_raises():
    config = small()
    entries = config["studies"]["data-scaling"]
    entries.append(copy.deepcopy(entries[0]))
    with pytest.raises(
        ConfigError, match=r"studies\.data-scaling\[0\]\.networks.*four-layer' on 'digits' has several"
    ):
        load(config)


def test_figure_network_that_is_defined_but_not_trained_raises():
    config = changed((*WIDTHS, "networks"), ["four-layer"])
    assert load(config).model_scaling_network == "four-layer"
    config["figures"] = {"model_scaling_network": "three-layer"}
    with pytest.raises(ConfigError, match=r"figures\.model_scaling_network.*'three-layer' is not trained"):
        load(config)


def test_figure_dataset_without_a_curve_in_figure_1_raises():
    """Model scaling trains its network of figure 1, three-layer, on another dataset alone."""
    config = small()
    (digits,) = config["studies"]["model-scaling"]
    config["studies"]["model-scaling"] = [
        {**digits, "dataset": "mnist-5k", "networks": ["three-layer"]},
        {**digits, "networks": ["four-layer"]},
    ]
    config["figures"] = {"dataset": "digits"}
    assert load(config).figures.dataset == "digits"  # data scaling has a curve of it
    del config["studies"]["data-scaling"]
    refusal = r"figures\.dataset.*does not train 'three-layer' on 'digits'; allowed are mnist-5k$"
    with pytest.raises(ConfigError, match=refusal):
        load(config)
    config["figures"]["model_scaling_network"] = "four-layer"
    assert load(config).figures.dataset == "digits"


def test_figure_network_does_not_matter_without_model_scaling():
    assert load(without(("studies", "model-scaling"))).model_scaling_network == "three-layer"


def test_own_test_part_is_taken_whole_where_it_is_smaller():
    config = changed((*WIDTHS, "dataset"), "mnist")
    config.update(test_samples=20000, ntk_samples=10000)
    del config["studies"]["data-scaling"]
    load(config)
    config["ntk_samples"] = 10001
    with pytest.raises(ConfigError, match=r"ntk_samples.*10001.*mnist gives 10000"):
        load(config)


def test_scales_exactly_a_factor_two_beyond_the_anchors_are_accepted():
    config = changed((*WIDTHS, "widths"), [4, 64])
    assert scales(load(config), BY_WIDTH) == [4, 64]


def test_draw_of_more_than_a_third_of_the_pool_raises():
    entry = {"dataset": "digits", "sizes": [40, 433], "calibrate_at": [40, 400]}
    with pytest.raises(
        ConfigError, match=r"sizes': 433 samples are more than a third of digits's training pool"
    ):
        load(changed(SIZES, entry))


def test_draw_of_exactly_a_third_of_the_pool_is_accepted():
    config = changed((*SIZES,), {"dataset": "digits", "sizes": [40, 432], "calibrate_at": [40, 400]})
    config["test_samples"] = 501
    loaded = load(config)
    assert REGISTRY["digits"].pool_size(loaded.test_samples) == 3 * 432
    assert scales(loaded, BY_SIZE) == [40, 432]


def test_given_learning_rate_lifts_the_bound_on_anchors_and_reaches_training():
    config = changed((*WIDTHS, "widths"), [8, 4096])
    config["studies"]["model-scaling"][0]["learning_rate"] = 0.02
    loaded = load(config)
    assert learning_rate_of(loaded, BY_WIDTH) == 0.02
    assert learning_rate_of(loaded, BY_SIZE) is None


def test_defaults_are_filled_in():
    loaded = load(small())
    assert loaded.data_dir is None
    assert (loaded.test_samples, loaded.ntk_samples, loaded.split_seed) == (500, 128, 0)
    assert loaded.ensemble.model_dump() == {"seeds": 5, "min_members": 3}
    assert list(loaded.networks) == ["three-layer", "four-layer", "dense", "convolutional"]
    assert loaded.networks["four-layer"].model_dump() == {
        "hidden_layers": 3,
        "width": None,
        "convolutions": 0,
        "filters": 32,
        "kernel_size": 3,
        "pooling": "max",
        "initialisation": "lecun-normal",
        "parametrisation": "standard",
        "biases": True,
    }
    assert loaded.optimizer.model_dump() == {"b1": 0.9, "b2": 0.999, "eps": 1e-8}
    assert loaded.training.window.model_dump() == {"first": 160, "last": 400}
    assert loaded.calibration.model_dump() == {
        "seeds": 3,
        "tolerance": 1.2,
        "share_inside": 0.6,
        "max_trials": 8,
        "first_rate": 0.001,
    }
    (model_scaling,) = loaded.studies.model_scaling
    assert model_scaling.model_dump() == {
        "dataset": "digits",
        "widths": (8, 32),
        "calibrate_at": (8, 32),
        "networks": ("three-layer", "four-layer"),
        "train_samples": 100,
        "learning_rate": None,
        "seeds": None,
        "min_members": None,
        "seeds_per_job": None,
    }
    (data_scaling,) = loaded.studies.data_scaling
    assert data_scaling.model_dump() == {
        "dataset": "digits",
        "sizes": (40, 160),
        "calibrate_at": (40, 163),
        "networks": ("four-layer",),
        "width": 8,
        "vary_initialisation": False,
        "learning_rate": None,
        "seeds": None,
        "min_members": None,
        "seeds_per_job": None,
    }


def test_entries_of_the_papers_studies_get_the_general_form():
    entries = load(small()).entries
    assert entries["model-scaling"] == (
        StudyEntry(
            axis="width",
            dataset="digits",
            networks=("three-layer", "four-layer"),
            scales=(8, 32),
            calibrate_at=(8, 32),
        ),
    )
    assert entries["data-scaling"] == (
        StudyEntry(
            axis="train_samples",
            dataset="digits",
            networks=("four-layer",),
            scales=(40, 160),
            calibrate_at=(40, 163),
            width=8,
            vary="data",
        ),
    )


def test_given_values_stay_beside_defaults():
    loaded = load(changed(("training", "window"), {"last": 500}))
    assert loaded.training.window.model_dump() == {"first": 160, "last": 500}
    assert loaded.training.trace_every == 2


def test_loading_leaves_the_given_config_alone():
    config = small()
    load(config)
    assert config == small()


def test_a_loaded_config_can_be_loaded_again():
    loaded = load(small())
    given = loaded.model_dump(by_alias=True, exclude_unset=True)
    assert load({**given, "studies": small()["studies"]}) == loaded


def test_a_loaded_config_cannot_be_changed():
    loaded = load(small())
    with pytest.raises(ValidationError, match="frozen"):
        loaded.training.window.first = 1
    with pytest.raises(TypeError):
        loaded.networks["three-layer"] = loaded.networks["four-layer"]


def with_noise(**changes):
    entry = {"dataset": "mnist-5k-4", "train_samples": 400, "removed_percent": [0, 50], "ntk_samples": 100}
    return changed(("studies", "noise-scaling"), [{**entry, **changes}])


def test_noise_scaling_takes_the_papers_numbers_by_default():
    (entry,) = load(with_noise()).studies.noise_scaling
    assert entry.networks == ("dense", "convolutional")
    assert (entry.learning_rate, entry.momentum, entry.batch_size) == (0.001, 0.9, 128)
    assert (entry.epochs, entry.sigma, entry.ntk_draws) == (1000, 0.01, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_samples": 402}, r"train_samples.*402 samples cannot be equally many.*4 classes"),
        ({"train_samples": 1504}, r"train_samples.*1504 is more than mnist-5k-4's training pool of 1500"),
        ({"removed_percent": [100]}, r"removed_percent\[0\]' is 100, but must be less than 100"),
        ({"train_samples": 40, "removed_percent": [96]}, r"removed_percent.*96 % leaves none of the 10"),
        ({"ntk_samples": 200}, r"ntk_samples.*600 test samples in all, but mnist-5k-4 gives 500"),
        ({"spectrum_epochs": [0, 1001]}, r"spectrum_epochs.*last of the recipe's epochs, 1000"),
        ({"networks": ["three-layer"]}, r"networks\.three-layer\.width.*must be given"),
        ({"momentum": 1}, "must be at most 0.999999"),
    ],
)
def test_invalid_noise_scaling_raises_and_names_the_key(changes, message):
    with pytest.raises(ConfigError, match=message):
        load(with_noise(**changes))


@pytest.mark.parametrize(
    ("top", "entry", "key"),
    [
        ({"test_samples": 20}, {"ntk_draws": 30}, "studies.noise-scaling[0].ntk_draws"),
        ({"test_samples": 2}, {}, "test_samples"),
        ({"test_samples": 2}, {"ntk_samples": None}, "test_samples"),
        ({"test_samples": 20}, {"ntk_draws": 3, "ntk_samples": 10}, "studies.noise-scaling[0].ntk_samples"),
    ],
)
def test_too_many_ntk_draws_name_a_key_that_is_given(top, entry, key):
    study = [{"dataset": "mnist-5k-4", "train_samples": 400, "removed_percent": [0, 50], **entry}]
    with pytest.raises(ConfigError, match=rf"^config key '{re.escape(key)}': .* test samples in all, but"):
        load({"name": "small", "studies": {"noise-scaling": study}, **top})


@pytest.mark.parametrize(
    ("top", "key"),
    [({}, "studies.model-scaling[0].dataset"), ({"ntk_samples": 100}, "ntk_samples")],
)
def test_a_small_test_part_of_one_s_own_file_is_named(tmp_path, top, key):
    images, labels = np.zeros((1000, 4, 4), np.uint8), np.arange(1000) % 2
    test = {"test_images": images[:50], "test_labels": labels[:50]}
    np.savez(tmp_path / "own.npz", images=images, labels=labels, **test)
    config = {**changed((*WIDTHS, "dataset"), str(tmp_path / "own.npz")), "test_samples": 400, **top}
    with pytest.raises(ConfigError, match=rf"^config key '{re.escape(key)}': .* but own gives 50"):
        load(config)


def test_convolutional_network_in_a_scaling_study_raises():
    with pytest.raises(
        ConfigError, match=r"'convolutional' is convolutional, which needs mini-batches, but model-scaling"
    ):
        load(changed((*WIDTHS, "networks"), ["convolutional"]))


def test_own_file_goes_by_its_stem():
    loaded = load(changed((*WIDTHS, "dataset"), "data/galaxies.npz"))
    assert own_files(loaded) == {"galaxies": "data/galaxies.npz"}
    assert curves(loaded)[0].dataset == "galaxies"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("data/my data.npz", r"the file's name, without .npz, must be a name of at most 100"),
        ("data/digits.npz", r"digits is the name of another dataset; rename the file"),
    ],
)
def test_own_file_without_a_name_of_its_own_raises(path, message):
    with pytest.raises(ConfigError, match=message):
        load(changed((*WIDTHS, "dataset"), path))


def test_own_files_of_one_name_raise():
    config = changed((*WIDTHS, "dataset"), "a/galaxies.npz")
    config["studies"]["data-scaling"][0]["dataset"] = "b/galaxies.npz"
    with pytest.raises(ConfigError, match=r"would both be called galaxies"):
        load(config)


def test_braces_in_the_folder_of_modified_data_raise():
    """Their files are inputs of rules. The folder of other data is a variable alone."""
    folder = {"data_dir": "data/{b}"}
    assert load({**small(), **folder}).data_dir == "data/{b}"
    with pytest.raises(ConfigError, match=r"^config key 'data_dir': 'data/{b}' holds braces"):
        load({**changed((*WIDTHS, "dataset"), "mnist-modified"), **folder})


def test_modified_data_have_a_name_of_their_own():
    config = changed((*WIDTHS, "dataset"), "cifar-10-modified")
    assert curves(load(config))[0].dataset == "cifar-10-modified"


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_shipped_config_completes(path):
    loaded = load(yaml.safe_load(path.read_text(encoding="utf-8")))
    for curve in curves(loaded):
        if follows_minimum(loaded, curve):
            calibration = calibration_settings(loaded, curve)
            assert reader_of(CalibrationSettings)(as_json(calibration)) == calibration
        for scale in scales(loaded, curve):
            training = training_settings(loaded, curve, scale)
            assert reader_of(TrainingSettings)(as_json(training)) == training


def test_configs_are_shipped_under_different_names():
    names = [yaml.safe_load(path.read_text(encoding="utf-8"))["name"] for path in SHIPPED]
    assert len(set(names)) == len(names)


def with_own_study(**changes):
    entry = {"axis": "depth", "dataset": "digits", "networks": ["narrow"], "scales": [1, 2]}
    config = changed(("studies", "own"), [{**entry, "calibrate_at": [1, 2], **changes}])
    config["networks"] = {
        "narrow": {"hidden_layers": 2, "width": 6},
        "no-width": {"hidden_layers": 2},
        "convolutional": {"hidden_layers": 1, "width": 4, "convolutions": 1},
        "three-layer": {"hidden_layers": 2},
        "four-layer": {"hidden_layers": 3},
    }
    config["recipes"] = {
        "adam": {},
        "fixed": {"epochs": 100},
        "batches": {"batch_size": 16, "epochs": 300, "learning_rate": 0.1},
    }
    return config


def test_own_study_takes_defaults():
    (entry,) = load(with_own_study()).entries["own"]
    assert (entry.recipe, entry.vary, entry.train_samples) == (ConfigRecipe(), "initialisation", 100)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"axis": "colour"},
            "own[0].axis': unknown 'colour'; allowed are width, train_samples, removed_share",
        ),
        ({"recipe": "lbfgs"}, "own[0].recipe': unknown 'lbfgs'; allowed are adam, fixed, batches"),
        (
            {"recipe": "fixed"},
            "own[0].recipe': trains for a fixed number of epochs, so it needs a learning_rate",
        ),
        (
            {"recipe": "fixed", "learning_rate": 0.1, "spectrum_epochs": [0, 101]},
            "own[0].spectrum_epochs': must ascend from 0 to at most the last of the recipe's epochs, 100",
        ),
        ({"networks": ["no-width"]}, "networks.no-width.width': must be given"),
        (
            {"networks": ["convolutional"]},
            "'convolutional' is convolutional, which needs mini-batches, but own trains",
        ),
        ({"scales": [0, 1]}, "own[0].scales': 0 must be at least 1"),
        ({"scales": []}, "own[0].scales' is [], but must have at least 1 item"),
        ({"scales": [1.5]}, "own[0].scales[0]' is 1.5, but must be an integer"),
        ({"calibrate_at": []}, "own[0].calibrate_at': must list scales, unless learning_rate gives a rate"),
        ({"scales": [1, 9]}, "own[0].calibrate_at': must reach within a factor 2"),
        ({"train_samples": 700}, "own[0].train_samples': 700 samples are more than a third"),
        ({"balanced": True, "train_samples": 64}, "own[0].train_samples': 64 samples cannot be equally many"),
        (
            {"ntk_draws": 4},
            "own[0].ntk_draws': studies.own[0] measures 512 test samples in all, but digits gives 500",
        ),
        (
            {"ntk_draws": 6, "ntk_samples": 100},
            "own[0].ntk_samples': studies.own[0] measures 600 test samples in all",
        ),
        (
            {"axis": "removed_share", "scales": [50, 99], "learning_rate": 0.1},
            "own[0].scales': 99 % leaves none",
        ),
        (
            {"axis": "input_size", "image_fit": "zero-padded", "scales": [4, 8], "learning_rate": 0.1},
            "own[0].scales': images of 8 pixels a side cannot be zero-padded to 4",
        ),
        (
            {
                "axis": "width",
                "scales": [8, 16],
                "calibrate_at": [8],
                "image_size": 7,
                "image_fit": "zero-padded",
            },
            "own[0].image_size': images of 8 pixels a side cannot be zero-padded to 7; take at least 8",
        ),
        (
            {"axis": "input_size", "scales": [8, 16], "calibrate_at": [8], "image_size": 8},
            "own[0].image_size': has no effect here, because only an axis other than input_size uses it",
        ),
        (
            {"learning_rate": 0.1, "rate_factor": 2},
            "own[0].rate_factor': has no effect here, because only a study whose learning rate is calibrated",
        ),
        ({"rate_factor": 0}, "own[0].rate_factor' is 0, but must be at least 1e-06"),
        ({"test_samples": 501}, "own[0].test_samples': 501 is more than the 500 test samples that digits"),
        (
            {"test_samples": 127},
            "own[0].test_samples': 127 is less than the 128 test samples on which the NTK is measured",
        ),
        ({"seeds": 2}, "own[0].seeds': 2 seeds are trained, but 3 have to end well (min_members)"),
        ({"min_members": 9}, "own[0].min_members': 5 seeds are trained, but 9 have to end well"),
        (
            {"axis": "removed_share", "scales": [0, 50], "calibrate_at": [1, 50]},
            "own[0].scales': 0 cannot be calibrated",
        ),
        (
            {"axis": "input_size", "image_fit": "zero-padded", "scales": [8, 16], "calibrate_at": [5, 16]},
            "own[0].calibrate_at': images of 8 pixels a side cannot be zero-padded to 5",
        ),
        (
            {"recipe": "batches", "networks": ["convolutional"], "axis": "input_size", "scales": [1, 8]},
            "own[0].networks': images of 1 pixels a side are too small for the pooling of 1 convolutions",
        ),
        (
            {"balanced": True, "vary": "data", "train_samples": 1290},
            "own[0].train_samples': 1290 samples are more than a third",
        ),
        ({"images": 3}, "own[0]' has the unknown key 'images'; allowed are axis, balanced,"),
    ],
)
def test_invalid_own_study_raises_and_names_the_key(changes, message):
    with pytest.raises(ConfigError) as caught:
        load(with_own_study(**changes))
    assert message in str(caught.value)
    assert str(caught.value).startswith("config key '")


@pytest.mark.parametrize(
    "changes", [{"recipe": "batches"}, {"recipe": "batches", "networks": ["convolutional"]}]
)
def test_own_study_on_mini_batches_takes_any_network(changes):
    assert load(with_own_study(**changes)).recipes["batches"].optimizer == "adam"


def test_misspelt_study_of_the_paper_is_taken_for_an_own_one_and_says_where_its_keys_belong():
    config = small()
    config["studies"]["model_scaling"] = config["studies"].pop("model-scaling")
    with pytest.raises(ConfigError, match=r"unknown key 'widths'.*is a key of studies\.model-scaling\[…\]"):
        load(config)


def test_own_study_without_its_axis_says_what_the_papers_are_called():
    config = small()
    config["studies"]["model_scaling"] = [{"dataset": "digits"}]
    with pytest.raises(ConfigError, match=r"lacks the key axis, networks, scales.*the paper's are"):
        load(config)


def test_studies_whose_rules_would_have_one_name_raise():
    config = with_own_study()
    config["studies"]["o-wn"] = config["studies"]["own"]
    config["studies"]["o_wn"] = config["studies"].pop("own")
    with pytest.raises(
        ConfigError, match=r"studies\.o_wn': the name differs from 'o-wn' in hyphens and underscores only"
    ):
        load(config)


def test_entries_of_one_study_have_one_axis():
    config = with_own_study()
    (entry,) = config["studies"]["own"]
    config["studies"]["own"].append({**entry, "dataset": "mnist-5k", "axis": "train_samples"})
    with pytest.raises(ConfigError, match=r"own\[1\]\.axis': 'train_samples' differs from 'depth'"):
        load(config)


def test_recipe_of_the_papers_studies_is_always_there():
    config = with_own_study(recipe="fixed", learning_rate=0.1, spectrum_epochs=[0, 100])
    del config["recipes"]["adam"]
    loaded = load(config)
    assert list(loaded.recipes) == ["adam", "fixed", "batches"]
    assert loaded.recipes["adam"].optimizer == "adam"


def test_recipe_called_adam_can_be_changed():
    config = with_own_study()
    config["recipes"]["adam"] = {"learning_rate": 0.5}
    assert load(config).recipes["adam"].learning_rate == 0.5


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_example_of_own_studies_on_a_page_is_a_config(page):
    text = (SHIPPED[0].parents[1] / page).read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(?:name: .*?\n)?(networks:.*?)```", text, re.DOTALL)
    loaded = load({"name": "example", **yaml.safe_load(example)})
    assert "depth-scaling" in loaded.entries


@pytest.mark.parametrize("change", [{"epochs": 300}, {"batch_size": 32}])
def test_recipe_of_the_papers_studies_cannot_become_another(change):
    config = with_own_study()
    config["recipes"]["adam"] = change
    (key,) = change
    with pytest.raises(
        ConfigError, match=rf"recipes\.adam\.{key}': the paper's scaling studies train by this recipe"
    ):
        load(config)


def test_one_balanced_draw_may_be_larger_than_a_third():
    assert load(with_own_study(balanced=True, train_samples=1000))
