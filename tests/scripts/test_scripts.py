"""Each rule's script called as a function, in the workflow's order, on a curve of each way to train."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml
from ntklens.analysis.settings import Window
from ntklens.data.settings import ImageSize
from ntklens.machine import progress
from ntklens.planning import curves, settings
from ntklens.planning.config import load
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.storage.averages import Mean, read_averages
from ntklens.storage.errors import FileError
from ntklens.storage.files import read_json
from ntklens.storage.import_closure import import_closure
from ntklens.storage.records import write_record
from ntklens.storage.run_files import read_run
from ntklens.storage.settings import as_json, as_plain, settings_sha256
from ntklens.studies.recipes import modules_of
from ntklens.training.optimisers import Sgd

from tests.support.ensembles import averages_of
from tests.support.origins import origin, resealed
from workflow.scripts import (
    adaptation_rate,
    aggregate,
    calibrate,
    fetch,
    infinite_width,
    power_laws,
    subsample,
    train,
    transition,
)

ROOT = Path(__file__).resolve().parents[2]
SMOKE = yaml.safe_load((ROOT / "config/smoke.yaml").read_text(encoding="utf-8"))
SMOKE["ensemble"]["min_members"] = 2
SMOKE["studies"]["model-scaling"][0]["learning_rate"] = 0.02
SMOKE["studies"]["noise-scaling"][0].update(removed_percent=[0, 50, 80], seeds=2)
CONFIG = load(SMOKE)
SCALING = curves.curves(CONFIG, "model-scaling")[0]
CALIBRATED = curves.curves(CONFIG, "data-scaling")[0]
DENSE, CONVOLUTIONAL = curves.curves(CONFIG, "noise-scaling")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Dataset and subset of the smoke config."""
    folder = tmp_path_factory.mktemp("scripts")
    fetch.main(["--dataset", "digits", "--out", f"{folder}/digits.h5"])
    wanted = as_json(settings.subset_settings(CONFIG, "digits"))
    subsample.main(["--dataset", f"{folder}/digits.h5", "--settings", wanted, "--out", f"{folder}/subset.h5"])
    return folder


def train_batch(folder, wanted, out, *options, seeds=("0", "1")):
    train.main(
        ["--subset", f"{folder}/subset.h5", "--settings", as_json(wanted), "--seeds", *seeds]
        + ["--out", str(out), *options]
    )


def trained(folder, curve):
    """Run files of seeds 0 and 1 at every point of ``curve``."""
    files = []
    for scale in curves.scales(CONFIG, curve):
        out = folder / "/".join(curve) / curves.point_name(CONFIG, curve, scale) / "seeds-0-1.h5"
        train_batch(folder, settings.training_settings(CONFIG, curve, scale), out)
        files.append(str(out))
    return files


@pytest.fixture(scope="module")
def scaling_runs(folder):
    return trained(folder, SCALING)


@pytest.fixture(scope="module")
def noise_runs(folder):
    return trained(folder, DENSE)


def averaging(curve, **changes):
    """How the run files of ``curve``, of two seeds, are averaged."""
    return replace(settings.averaging_settings(CONFIG, curve), seeds=2, **changes)


def average(files, curve, out, **changes):
    wanted = averaging(curve, **changes)
    aggregate.main(["--runs", *files, "--settings", as_json(wanted), "--out", str(out)])


def test_calibrate_puts_the_minimum_near_the_target(folder):
    wanted = settings.calibration_settings(CONFIG, CALIBRATED)
    out = folder / "rates.json"
    calibrate.main(["--subset", f"{folder}/subset.h5", "--settings", as_json(wanted), "--out", str(out)])
    content = json.loads(out.read_text(encoding="utf-8"))
    last = {trial["scale"]: trial for trial in content["trials"]}
    for trial in last.values():
        middle = np.exp(np.mean(np.log(trial["epochs"])))
        assert wanted.target_epoch / 1.5 <= middle <= wanted.target_epoch * 1.5


def descent(curve):
    """Calibration of full-batch gradient descent, from a rate so small that no minimum comes in time."""
    wanted = settings.calibration_settings(CONFIG, curve)
    return replace(wanted, recipe=replace(wanted.recipe, optimiser=Sgd(momentum=0.9)), first_rate=0.002)


def test_calibrate_finds_a_rate_for_full_batch_gradient_descent(folder):
    out = folder / "descent.json"
    wanted = as_json(descent(SCALING))
    calibrate.main(["--subset", f"{folder}/subset.h5", "--settings", wanted, "--out", str(out)])
    trials = json.loads(out.read_text(encoding="utf-8"))["trials"]
    assert all(trials[0]["censored"])
    for trial in {trial["scale"]: trial for trial in trials}.values():
        assert all(20 <= epoch <= 60 for epoch in trial["epochs"])


def test_calibrate_names_the_seeds_that_no_rate_brings_together(folder, tmp_path):
    """Of two draws of 60 samples, one's test loss is least seven times as late as the other's."""
    arguments = ["--subset", f"{folder}/subset.h5", "--settings", as_json(descent(CALIBRATED))]
    with pytest.raises(
        SystemExit, match=r"at scale 60, none of \d rates .* 2 of 2 seeds into epochs 20 to 60"
    ) as error:
        calibrate.main([*arguments, "--out", str(tmp_path / "rates.json")])
    assert "seed 0: the minimum is" in str(error.value)
    assert re.search(r"at most [01] of 2 (was|were) inside at one rate", str(error.value))


def test_calibrate_that_fails_says_where_and_writes_nothing(folder, tmp_path):
    wanted = replace(settings.calibration_settings(CONFIG, CALIBRATED), max_trials=1, first_rate=1e-6)
    out = tmp_path / "rates.json"
    arguments = ["--subset", f"{folder}/subset.h5", "--settings", as_json(wanted), "--out", str(out)]
    with pytest.raises(SystemExit) as error:
        calibrate.main(arguments)
    assert "scale 60" in str(error.value)
    assert "learning_rate" in str(error.value)
    assert not out.exists()


@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_train_reads_the_rate_of_its_point(folder, tmp_path, factor):
    rates = tmp_path / "rates.json"
    coefficients = {"coefficients": [-0.5, np.log(0.24)]}  # 0.24 / √size
    wanted = settings.training_settings(CONFIG, CALIBRATED, 60)
    write_record(rates, coefficients, origin("learning rates", settings_sha256=wanted.learning_rates))
    wanted = replace(wanted, recipe=replace(wanted.recipe, rate_factor=factor))
    out = tmp_path / "run.h5"
    train_batch(folder, wanted, out, "--learning-rates", str(rates), seeds=("1", "1"))
    with h5py.File(out) as file:
        assert file.attrs["learning_rate"] == pytest.approx(factor * 0.24 / np.sqrt(60))
        assert list(file) == ["seed-0001"]


@pytest.mark.parametrize(("curve", "scale"), [(SCALING, 8), (DENSE, 50), (CONVOLUTIONAL, 50)])
def test_train_twice_gives_the_same_numbers_by_any_number_of_threads(folder, tmp_path, curve, scale):
    wanted = settings.training_settings(CONFIG, curve, scale)
    for name, threads in (("one.h5", "1"), ("two.h5", "2")):
        train_batch(folder, wanted, tmp_path / name, "--threads", threads)
    with h5py.File(tmp_path / "one.h5") as first, h5py.File(tmp_path / "two.h5") as second:
        assert first.attrs["settings"] == second.attrs["settings"]
        for seed in first:
            for name in ("train_loss", "test_loss", "test_accuracy", "spectrum/eigenvalues"):
                np.testing.assert_array_equal(first[seed][name], second[seed][name])


# Trains, then prints the files of ntklens that Python has loaded.
LOADED = """
import json, sys
from workflow.scripts import train
train.main(sys.argv[1:])
print(json.dumps([m.__file__ for n, m in sys.modules.items() if n.split(".")[0] == "ntklens"]))
"""


@pytest.mark.parametrize(("curve", "scale"), [(SCALING, 8), (DENSE, 50)])
def test_train_loads_what_its_rule_declares_and_nothing_else(folder, tmp_path, curve, scale):
    wanted = settings.training_settings(CONFIG, curve, scale)
    command = ["--subset", f"{folder}/subset.h5", "--settings", as_json(wanted), "--seeds", "0", "0"]
    result = subprocess.run(
        [sys.executable, "-c", LOADED, *command, "--out", str(tmp_path / "run.h5")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "workflow"), str(ROOT)])},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    )
    declared = import_closure(train.__file__, *modules_of(wanted.recipe, (wanted.network, wanted.data)))
    loaded = {Path(file).resolve() for file in json.loads(result.stdout.splitlines()[-1])}
    assert loaded == set(declared) - {Path(train.__file__).resolve()}


def test_mini_batch_study_measures_every_epoch_it_was_asked_for(noise_runs):
    for path, percent in zip(noise_runs, (0, 50, 80), strict=True):
        for trajectory in read_run(path):
            assert trajectory.status == "ok"
            assert trajectory.epoch.tolist() == [0, 1, 2, 3, 4, 6]
            assert trajectory.spectrum.epoch.tolist() == [0, 1, 3, 6]
            assert trajectory.spectrum.eigenvalues.shape == (4, 2, 80)
            np.testing.assert_allclose(trajectory.spectrum.eigenvalues.sum(axis=-1), 80, rtol=1e-4)
            replaced = trajectory.copied_from != np.arange(60)
            assert replaced.sum() == 10 * round(6 * percent / 100)
            assert trajectory.minimum is None


def test_train_records_where_a_run_comes_from(noise_runs):
    with h5py.File(noise_runs[1]) as file:
        assert json.loads(file.attrs["settings"]) == as_plain(settings.training_settings(CONFIG, DENSE, 50))
        assert json.loads(file.attrs["seeds"]) == [0, 1]
        assert file.attrs["ntk_rows"] == 80
        assert any(name.endswith("subset.h5") for name in json.loads(file.attrs["inputs"]))
        assert list(file) == ["seed-0000", "seed-0001"]


def test_percentages_share_initial_parameters_and_samples(noise_runs):
    none, half, most = (read_run(path)[0] for path in noise_runs)
    for other in (half, most):
        np.testing.assert_array_equal(other.spectrum.eigenvalues[0], none.spectrum.eigenvalues[0])
        np.testing.assert_array_equal(other.train_indices, none.train_indices)


@pytest.mark.parametrize(("curve", "scale"), [(SCALING, 8), (DENSE, 50)])
def test_train_says_progress_and_how_seeds_ended(folder, tmp_path, capsys, monkeypatch, curve, scale):
    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    train_batch(folder, settings.training_settings(CONFIG, curve, scale), tmp_path / "run.h5")
    lines = capsys.readouterr().err.splitlines()
    assert any("epoch 6" in line and "of 2 seeds finished" in line for line in lines)
    assert [line.split(",")[0] for line in lines[-2:]] == ["seed 0: ok", "seed 1: ok"]


def test_train_whose_samples_cannot_be_balanced_says_what_to_change(folder, tmp_path):
    wanted = settings.training_settings(CONFIG, DENSE, 50)
    wanted = replace(wanted, data=replace(wanted.data, train_samples=64))
    with pytest.raises(SystemExit, match="make train_samples a multiple of 10"):
        train_batch(folder, wanted, tmp_path / "run.h5")
    assert not (tmp_path / "run.h5").exists()


def test_aggregate_reports_seeds_and_window(scaling_runs, tmp_path, capsys):
    average(scaling_runs, SCALING, tmp_path / "curve.h5")
    report = capsys.readouterr().err.splitlines()
    assert len(report) == 3
    assert report[0].startswith("width-8: 2 seeds used")
    assert "inside epochs 20 to 60" in report[0]


def test_aggregate_says_where_the_mean_is_least_at_its_end():
    epochs = np.arange(101)
    falling = replace(
        averages_of(scales=(8,))[0],
        along={"test_loss": Mean(epochs, -1.0 * epochs, 0.0 * epochs)},
        minimum_epoch=100,
    )
    said = "; their mean test loss is least at epoch 100, and the first seed stopped at 100"
    assert aggregate.report(falling, Window(20, 60)).endswith(said)
    assert "first seed" not in aggregate.report(replace(falling, minimum_epoch=60), Window(20, 60))


def test_aggregate_says_where_rounding_decides():
    (of_point,) = averages_of(scales=(8,))
    tiny = replace(of_point, minimum={**of_point.minimum, "test_loss": np.array([0.3, 9e-7, 0.0])})
    window = Window(20, 60)
    assert "; the least test loss of 2 is below 1e-06, where rounding decides" in aggregate.report(
        tiny, window
    )
    assert "rounding" not in aggregate.report(of_point, window)


def test_aggregate_reports_where_training_ended(noise_runs, tmp_path, capsys):
    average(noise_runs, DENSE, tmp_path / "curve.h5")
    report = capsys.readouterr().err.splitlines()
    assert [line.partition(",")[0] for line in report] == [f"removed-{n}: 2 seeds used" for n in (0, 50, 80)]
    assert "effective rank" in report[0]


def test_aggregate_averages_seeds_and_draws(noise_runs, tmp_path):
    average(noise_runs, DENSE, tmp_path / "curve.h5")
    points = read_averages(tmp_path / "curve.h5")
    assert [point.scale for point in points] == [0, 50, 80]
    for point, path in zip(points, noise_runs, strict=True):
        ranks = effective_rank([t.spectrum.eigenvalues for t in read_run(path)])  # (seeds, epochs, draws)
        np.testing.assert_allclose(point.along["effective_rank"].mean, ranks.mean(axis=(0, 2)))
        assert point.seeds.tolist() == [0, 1]
        assert point.minimum == {}


@pytest.mark.parametrize("curve", [SCALING, DENSE])
def test_aggregate_with_too_few_seeds_exits_and_writes_nothing(request, tmp_path, curve):
    runs = request.getfixturevalue("scaling_runs" if curve == SCALING else "noise_runs")
    scale = curves.scales(CONFIG, curve)[0]
    wanted = rf"scale {scale}: 2 of 2 seeds are usable, 3 are needed \(ensemble\.min_members"
    with pytest.raises(SystemExit, match=wanted):
        average(runs, curve, tmp_path / "curve.h5", min_members=3)
    assert not (tmp_path / "curve.h5").exists()


def test_aggregate_names_a_point_whose_seeds_diverged(folder, noise_runs, tmp_path):
    wanted = settings.training_settings(CONFIG, DENSE, 80)
    wanted = replace(wanted, recipe=replace(wanted.recipe, learning_rate=1e30))
    diverged = tmp_path / "removed-80/seeds-0-1.h5"
    train_batch(folder, wanted, diverged)
    made_with = {**averaging(DENSE).runs, "removed-80": settings_sha256(wanted)}
    with pytest.raises(SystemExit, match=r"scale 80: 0 of 2 seeds are usable.*seed 0: diverged"):
        average([*noise_runs[:2], str(diverged)], DENSE, tmp_path / "curve.h5", runs=made_with)


def analysis():
    """The settings of the fits of the averages of two seeds."""
    return replace(settings.analysis_settings(CONFIG, SCALING), averages=settings_sha256(averaging(SCALING)))


FITS = ("adaptation-rate", "infinite-width", "power-laws", "transition")


@pytest.fixture(scope="module")
def fits(folder, scaling_runs, tmp_path_factory):
    """The content of every fit of the curve of widths, by name."""
    out = tmp_path_factory.mktemp("fits")
    average(scaling_runs, SCALING, out / "averages.h5")
    closed = as_json(settings.infinite_width_settings(CONFIG, SCALING))
    infinite_width.main(
        ["--subset", f"{folder}/subset.h5", "--settings", closed, "--out", f"{out}/infinite-width.json"]
    )
    given = ["--averages", f"{out}/averages.h5", "--settings", as_json(analysis())]
    adaptation_rate.main([*given, "--out", f"{out}/adaptation-rate.json"])
    given += ["--infinite-width", f"{out}/infinite-width.json"]
    power_laws.main([*given, "--out", f"{out}/power-laws.json"])
    transition.main([*given, "--out", f"{out}/transition.json"])
    return {name: read_json(out / f"{name}.json") for name in FITS}


def test_closed_forms_see_images_of_the_curves_size(folder, tmp_path):
    """Zero-padding keeps ‖x‖² and adds inputs."""
    own, found = settings.infinite_width_settings(CONFIG, SCALING), {}
    for size in (None, ImageSize(16, "zero-padded")):
        closed = as_json(replace(own, image_size=size))
        infinite_width.main(
            ["--subset", f"{folder}/subset.h5", "--settings", closed, "--out", f"{tmp_path}/{size is None}"]
        )
        found[size is None] = read_json(tmp_path / f"{size is None}")
    assert (found[True]["inputs"], found[False]["inputs"]) == (64, 256)
    assert found[True]["mean_square_norm"] == pytest.approx(found[False]["mean_square_norm"])
    assert found[False]["bend"] == pytest.approx(4 * found[True]["bend"])


def test_adaptation_rates_have_intervals_along_training_and_at_the_minimum(fits):
    points = fits["adaptation-rate"]["points"]
    assert [point["scale"] for point in points] == [8, 16, 32]
    for point in points:
        low, rate, high = (np.array(point[key], float) for key in ("low", "adaptation_rate", "high"))
        assert np.mean((low <= rate) & (rate <= high)) > 0.9
        at_minimum = point["at_minimum"]
        assert at_minimum["low"] <= at_minimum["value"] <= at_minimum["high"]


def test_power_laws_and_transition_agree_on_what_both_hold(fits):
    laws, bends = fits["power-laws"], fits["transition"]
    for name in ("trace_ratio", "effective_rank"):
        assert laws[name]["scale"] == [8, 16, 32]
        for key in ("mean", "error", "power_law", "bent_law"):
            assert laws[name][key] == bends[name][key]
    assert laws["drawn"] == bends["drawn"]
    assert laws["drawn"]["trace_ratio"] == "ratio of means"
    rates = [-point["at_minimum"]["value"] for point in fits["adaptation-rate"]["points"]]
    assert laws["adaptation_rate"]["mean"] == rates


def test_closed_forms_are_those_of_the_ntk_samples(folder, fits):
    closed = fits["infinite-width"]
    with h5py.File(folder / "subset.h5") as file:
        images = file["test_images"][: CONFIG.ntk_samples] / float(file.attrs["white"])
    norm = (images**2).sum(axis=(1, 2)).mean()
    assert closed["mean_square_norm"] == pytest.approx(norm, rel=1e-6)
    assert (closed["inputs"], closed["hidden_layers"], closed["rows"]) == (64, 2, 160)
    assert closed["bend"] == pytest.approx(64 / 2 * (1 + 7 / norm), rel=1e-6)
    assert 1 < closed["effective_rank"] < 160
    assert fits["transition"]["infinite_effective_rank"] == closed["effective_rank"]
    assert fits["power-laws"]["expectation"]["bend"] == closed["bend"]


def test_initial_traces_are_about_those_of_the_closed_form(fits):
    measured = fits["power-laws"]["initial_trace"]["mean"]
    np.testing.assert_allclose(measured, fits["power-laws"]["expectation"]["initial_trace"], rtol=0.5)


def test_curves_that_no_closed_form_describes_go_without_it(scaling_runs, tmp_path):
    average(scaling_runs, SCALING, tmp_path / "averages.h5")
    given = ["--averages", f"{tmp_path}/averages.h5", "--settings", as_json(analysis())]
    transition.main([*given, "--out", f"{tmp_path}/transition.json"])
    content = read_json(tmp_path / "transition.json")
    assert content["prediction"] is content["expectation"] is content["infinite_effective_rank"] is None


def copied_over(path, other):
    """``path`` with the content of ``other``, as by a slip of the hand."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(other, path)
    return str(path)


NOT_ITS_PLACE = "is not the file that belongs there, it holds"


@pytest.mark.parametrize(
    ("place", "other", "wrong"),
    [
        (
            "width-16/seeds-0-1.h5",
            0,
            rf"{NOT_ITS_PLACE} .*three-layer at scale 8, seeds 0 to 1', made with other",
        ),
        ("width-8/seeds-2-3.h5", 0, "holds seed 0, which .* holds too"),
        ("width-8/seeds-2-3.h5", 1, rf"{NOT_ITS_PLACE} .* at scale 16"),
        ("width-9/seeds-0-1.h5", 0, "lies in no folder of a point: those are width-8, width-16, width-32"),
    ],
)
def test_aggregate_refuses_a_run_file_copied_over_another(scaling_runs, tmp_path, place, other, wrong):
    kept = [path for path in scaling_runs if place not in path]
    swapped = copied_over(tmp_path / place, scaling_runs[other])
    with pytest.raises(FileError, match=rf"{place} {wrong}"):
        average([*kept, swapped], SCALING, tmp_path / "curve.h5")
    assert not (tmp_path / "curve.h5").exists()


def test_aggregate_refuses_a_run_of_another_study(scaling_runs, noise_runs, tmp_path):
    swapped = copied_over(tmp_path / "width-8/seeds-0-1.h5", noise_runs[0])
    with pytest.raises(FileError, match=rf"{NOT_ITS_PLACE} 'run of noise-scaling/digits/dense at"):
        average([swapped, *scaling_runs[1:]], SCALING, tmp_path / "curve.h5")


def test_aggregate_names_the_seeds_that_are_missing(scaling_runs, tmp_path):
    wanted = replace(averaging(SCALING), seeds=4)
    given = ["--runs", *scaling_runs, "--settings", as_json(wanted), "--out", str(tmp_path / "curve.h5")]
    with pytest.raises(FileError, match="no run file of width-8 holds the seeds 2, 3: start again"):
        aggregate.main(given)


@pytest.mark.parametrize(
    "content", ["dataset", "text", "nothing", "cut", "a flipped bit", "folder", "missing"]
)
def test_aggregate_refuses_a_file_that_is_no_run(folder, scaling_runs, tmp_path, content):
    path = Path(copied_over(tmp_path / "width-8/seeds-0-1.h5", scaling_runs[0]))
    flipped = bytearray(path.read_bytes())
    flipped[len(flipped) // 2] ^= 1
    replaced = {
        "dataset": (folder / "digits.h5").read_bytes(),
        "text": b"no HDF5 file",
        "nothing": b"",
        "cut": path.read_bytes()[:-1],
        "a flipped bit": bytes(flipped),
    }
    path.unlink()
    if content == "folder":
        path.mkdir()
    elif content != "missing":
        path.write_bytes(replaced[content])
    with pytest.raises((FileError, FileNotFoundError), match=str(path)):
        average([str(path), *scaling_runs[1:]], SCALING, tmp_path / "curve.h5")


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("inputs", {"subset.h5": "another digest"}, "was made from other input files than"),
        ("settings_sha256", "ab" * 32, rf"{NOT_ITS_PLACE} .*, made with other settings than"),
        ("seeds", [2, 3, 4], r"does not hold the seeds \[2, 3, 4\] that it states"),
        ("schema", 0, "was written by another version of ntk-lens"),
        ("kind", "averages", rf"{NOT_ITS_PLACE} 'averages of .* instead of a file of the kind 'run'"),
    ],
)
def test_aggregate_refuses_a_run_of_another_origin(scaling_runs, tmp_path, name, value, wrong):
    path = Path(copied_over(tmp_path / "width-8/seeds-2-3.h5", scaling_runs[0]))
    with resealed(path) as file:
        file.attrs["seeds"] = "[2, 3]"
        for seed in (0, 1):
            file.move(f"seed-000{seed}", f"seed-000{seed + 2}")
        file.attrs[name] = value if isinstance(value, str | int) else json.dumps(value)
    with pytest.raises(FileError, match=rf"seeds-2-3\.h5 {wrong}"):
        average([*scaling_runs, str(path)], SCALING, tmp_path / "curve.h5")


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("minimum/test_loss", 0.25, "minimum/test_loss is not that of the curve"),
        ("minimum/epoch", 10**6, "minimum/epoch is 1000000, which is no epoch of the train loss"),
        ("minimum/ntk_trace", 1.0, "minimum/ntk_trace is not the sum of ntk_eigenvalues"),
        ("train_loss", np.nan, "train_loss is not finite and positive"),
        ("spectrum/eigenvalues", 1.1, "spectrum/eigenvalues is no spectrum of a normalised NTK: 160 asc"),
        ("trace/layer_traces", 0.0, "layer_traces do not add up to ntk_trace"),
        ("test_epoch", 3, "the epochs of the test loss do not ascend"),
    ],
)
def test_aggregate_names_the_seed_with_impossible_numbers(scaling_runs, tmp_path, name, value, wrong):
    path = Path(copied_over(tmp_path / "width-8/seeds-0-1.h5", scaling_runs[0]))
    with resealed(path) as file:
        file[f"seed-0001/{name}"][...] = value
    with pytest.raises(FileError, match=rf"seeds-0-1\.h5: of seed 1, {wrong}"):
        average([str(path), *scaling_runs[1:]], SCALING, tmp_path / "curve.h5")


@pytest.mark.parametrize(
    "damage", [lambda text: text.replace('"scale": 8', '"scale": 9'), lambda text: text[:-9]]
)
def test_a_damaged_fit_is_named_by_who_reads_it(folder, scaling_runs, tmp_path, damage):
    average(scaling_runs, SCALING, tmp_path / "averages.h5")
    closed, path = settings.infinite_width_settings(CONFIG, SCALING), tmp_path / "infinite-width.json"
    given = ["--subset", f"{folder}/subset.h5", "--settings", as_json(closed), "--out", str(path)]
    infinite_width.main(given)
    text = path.read_text(encoding="utf-8").replace('"hidden_layers": 2', '"hidden_layers": 3')
    path.write_text(damage(text), encoding="utf-8")
    given = ["--averages", f"{tmp_path}/averages.h5", "--settings", as_json(analysis())]
    given += ["--infinite-width", str(path), "--out", str(tmp_path / "laws.json")]
    with pytest.raises(FileError, match=f"{path} is damaged"):
        power_laws.main(given)


def test_fits_of_another_curves_averages_are_refused(noise_runs, tmp_path):
    average(noise_runs, DENSE, tmp_path / "averages.h5")
    given = ["--averages", f"{tmp_path}/averages.h5", "--settings", as_json(analysis())]
    with pytest.raises(FileError, match=rf"{NOT_ITS_PLACE} 'averages of noise-scaling/digits/dense"):
        power_laws.main([*given, "--out", f"{tmp_path}/laws.json"])


def test_fetch_without_its_files_exits_with_what_to_do(tmp_path):
    with pytest.raises(SystemExit, match=r"train-images-idx3-ubyte.*data_dir"):
        fetch.main(["--dataset", "mnist", "--data-dir", str(tmp_path), "--out", str(tmp_path / "mnist.h5")])
    assert list(tmp_path.iterdir()) == []
