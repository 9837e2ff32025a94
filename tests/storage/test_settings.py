"""Settings of every type come back from JSON; those that do not fit are refused with the key's name."""

import argparse
import dataclasses
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ntklens.analysis.settings import AveragingSettings, Window
from ntklens.data.settings import DataSettings, ImageSize, NoisyCopies, SplitSettings
from ntklens.figures.settings import DescribedCurve, FigureSettings
from ntklens.networks.architectures import NetworkSettings
from ntklens.storage.curve import Curve
from ntklens.storage.settings import as_json, as_plain
from ntklens.storage.settings_reader import reader_of
from ntklens.studies.jobs import CalibrationSettings, ScaledPoint, TrainingSettings
from ntklens.studies.recipes import Measurement, Recipe
from ntklens.training.optimisers import Adam, Sgd
from ntklens.training.schedules import Stop

CURVE = Curve("model-scaling", "digits", "three-layer")
DATA = DataSettings(train_samples=40, balanced=True, draw_seed=None)
NETWORK = NetworkSettings(hidden_layers=2, width=8)
RECIPE = Recipe(
    optimiser=Adam(0.9, 0.999, 1e-8),
    batch_size=None,
    learning_rate=None,
    stop=Stop(20, 20, patience=1.5, max_epochs=90),
    evaluate_every=1,
    vary="both",
)
MEASUREMENT = replace(Measurement.nothing(), ntk_samples=4, spectrum_epochs=(0, 7))
TRAINING = TrainingSettings(CURVE, 8, "ab" * 32, None, NETWORK, DATA, RECIPE, MEASUREMENT)
CALIBRATION = CalibrationSettings(
    curve=CURVE,
    subset="ab" * 32,
    points=(ScaledPoint(NETWORK, DATA, scale=8), ScaledPoint(replace(NETWORK, width=16), DATA, scale=16)),
    recipe=RECIPE,
    window=(20, 60),
    seeds=3,
    tolerance=1.2,
    share_inside=0.6,
    max_trials=8,
    first_rate=0.001,
)
AVERAGING = AveragingSettings(
    CURVE, {"width-8": 8}, {"width-8": "cd" * 32}, seeds=4, min_members=3, window=Window(20, 60)
)
FIGURE = FigureSettings(
    figure="3",
    kind="transition",
    shows=("ntk_trace",),
    needs=("averages",),
    curves=(DescribedCurve(*CURVE, "Model scaling", "m", "Model width", {"averages": "ef" * 32}),),
)
EXAMPLES = [
    SplitSettings("digits", test_samples=500, split_seed=0),
    TRAINING,
    replace(
        TRAINING,
        data=replace(DATA, noisy_copies=NoisyCopies(50, 0.01), image_size=ImageSize(9, "zero-padded")),
        recipe=replace(RECIPE, optimiser=Sgd(0.9), batch_size=32, learning_rate=0.01, stop=Stop.fixed(9)),
    ),
    CALIBRATION,
    AVERAGING,
    replace(AVERAGING, window=None),
    FIGURE,
]


def read(settings, kind=TrainingSettings):
    """``settings``, plain dictionaries and lists, read as a ``kind``."""
    return reader_of(kind)(json.dumps(settings))


def without(settings, *path):
    """``settings`` as plain dictionaries, without the key at ``path``."""
    plain = as_plain(settings)
    place = plain
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return plain


def changed(settings, value, *path):
    """``settings`` as plain dictionaries, with ``value`` at ``path``."""
    plain = as_plain(settings)
    place = plain
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return plain


@pytest.mark.parametrize("settings", EXAMPLES, ids=lambda settings: type(settings).__name__)
def test_settings_come_back(settings):
    found = reader_of(type(settings))(as_json(settings))
    assert found == settings
    assert type(found) is type(settings)


@given(
    st.builds(
        Recipe,
        optimiser=st.builds(Adam, *[st.floats(0, 1)] * 3, name=st.just("adam"))
        | st.builds(Sgd, st.floats(0, 1), name=st.just("sgd")),
        batch_size=st.none() | st.integers(1),
        learning_rate=st.none() | st.floats(0, 10),
        stop=st.builds(Stop, st.integers(0), st.integers(0), st.floats(1, 5), st.integers(1)),
        evaluate_every=st.integers(1),
        vary=st.sampled_from(["initialisation", "data", "both"]),
    )
)
def test_any_recipe_comes_back(recipe):
    assert reader_of(Recipe)(as_json(recipe)) == recipe


def test_curve_and_optimiser_are_objects():
    plain = json.loads(as_json(TRAINING))
    assert plain["curve"] == {"study": "model-scaling", "dataset": "digits", "network": "three-layer"}
    assert plain["recipe"]["optimiser"] == {"name": "adam", "b1": 0.9, "b2": 0.999, "eps": 1e-8}
    assert plain["recipe"]["stop"] == {
        "window_first": 20,
        "window_last": 20,
        "patience": 1.5,
        "max_epochs": 90,
    }
    assert plain["measurement"]["spectrum_epochs"] == [0, 7]
    assert list(plain) == [field.name for field in dataclasses.fields(TRAINING)]


def test_an_integer_is_read_as_a_float_where_one_is_expected():
    patience = read(changed(TRAINING, 2, "recipe", "stop", "patience")).recipe.stop.patience
    assert (patience, type(patience)) == (2.0, float)


def test_keys_with_defaults_may_be_missing():
    assert read(without(TRAINING, "network", "pooling")) == TRAINING


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        (changed(TRAINING, 1, "widht"), "unknown key widht @ settings$"),
        (changed(TRAINING, 1, "curve", "scale"), r"unknown key scale @ settings\.curve$"),
        (changed(TRAINING, 1, "recipe", "optimiser", "momentum"), r"unknown key momentum @ .*\.optimiser$"),
        (without(TRAINING, "scale"), r"missing key @ settings\.scale$"),
        (without(TRAINING, "recipe", "batch_size"), r"missing key @ settings\.recipe\.batch_size$"),
        (without(TRAINING, "curve", "dataset"), r"missing key @ settings\.curve\.dataset$"),
        (without(TRAINING, "recipe", "optimiser", "b2"), r"missing key @ settings\.recipe\.optimiser\.b2$"),
        (changed(TRAINING, "adagrad", "recipe", "optimiser", "name"), r"not of .* @ .*\.optimiser$"),
        (changed(TRAINING, "all", "recipe", "vary"), r"not of type .*both.* @ settings\.recipe\.vary$"),
        (changed(TRAINING, "8", "scale"), r"not of type int @ settings\.scale$"),
        (changed(TRAINING, 8.0, "scale"), r"not of type int @ settings\.scale$"),
        (changed(TRAINING, True, "scale"), r"not of type int @ settings\.scale$"),
        (changed(TRAINING, 1, "network", "biases"), r"not of type bool @ settings\.network\.biases$"),
        (changed(TRAINING, "fast", "recipe", "learning_rate"), r"not of type .* @ .*\.learning_rate$"),
        (changed(TRAINING, "07", "measurement", "spectrum_epochs"), r"spectrum_epochs\[0\]"),
        ([], r"settings must be an object, not \[\]"),
    ],
)
def test_settings_that_do_not_fit_are_refused_with_the_keys_name(plain, message):
    with pytest.raises(ValueError, match=message):
        read(plain)


def test_added_settings_are_written_where_they_differ_from_their_default():
    """So runs of an earlier version stand, and are read as they are."""
    assert "rate_factor" not in as_plain(RECIPE)
    assert "test_samples" not in as_plain(DATA)
    for settings in (replace(TRAINING, recipe=replace(RECIPE, rate_factor=0.5)), TRAINING):
        assert reader_of(TrainingSettings)(as_json(settings)) == settings
    assert as_plain(replace(DATA, test_samples=9))["test_samples"] == 9


def test_image_fit_is_one_of_two():
    data = replace(DATA, image_size=ImageSize(9, "resized"))
    with pytest.raises(ValueError, match=r"zero-padded.* @ settings\.image_size"):
        read(changed(data, "cropped", "image_size", "fit"), DataSettings)


def test_text_that_is_no_json_is_refused():
    with pytest.raises(ValueError, match="settings are not JSON"):
        reader_of(TrainingSettings)("{scale: 8}")
    with pytest.raises(ValueError, match=r"settings are not JSON: .*4300 digits"):
        reader_of(TrainingSettings)(f'{{"scale": {"9" * 5000}}}')


def test_a_script_says_in_one_line_which_key_is_wrong(capsys):
    parser = argparse.ArgumentParser()
    parser.add_argument("--settings", type=reader_of(SplitSettings))
    with pytest.raises(SystemExit):
        parser.parse_args(["--settings", '{"dataset": "digits", "test_samples": 5}'])
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.endswith("error: argument --settings: missing key @ settings.split_seed")
