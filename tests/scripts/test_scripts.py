"""Each rule's script called as a function, in the workflow's order, on one small curve."""

import json
import shutil

import h5py
import numpy as np
import pytest
import yaml
from ntklens.planning import curves as studies
from ntklens.planning import paths
from ntklens.planning.config import SCHEMA, complete

from workflow.scripts import (
    adaptation_rate,
    aggregate,
    calibrate,
    fetch,
    figure_1,
    figure_2,
    figure_3,
    power_laws,
    subsample,
    train,
    transition,
)

SMOKE = yaml.safe_load((SCHEMA.parents[2] / "config/smoke.yaml").read_text())
CONFIG = complete(SMOKE)
CURVE = studies.curves(CONFIG, "model-scaling")[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Dataset and subset of the smoke config."""
    folder = tmp_path_factory.mktemp("scripts")
    fetch.main(["--dataset", "digits", "--out", f"{folder}/digits.h5"])
    settings = json.dumps(studies.subset_settings(CONFIG))
    subsample.main(
        ["--dataset", f"{folder}/digits.h5", "--settings", settings, "--out", f"{folder}/subset.h5"]
    )
    return folder


@pytest.fixture(scope="module")
def runs(folder):
    """Run files of seeds 0 and 1 at every width, at a given learning rate."""
    files = []
    for scale in studies.scales(CONFIG, CURVE):
        out = folder / paths.point_name(CURVE.study, scale) / "seeds-0-1.h5"
        settings = {**studies.training_settings(CONFIG, CURVE, scale), "learning_rate": 0.02}
        train_batch(folder, settings, out)
        files.append(str(out))
    return files


@pytest.fixture(scope="module")
def fits(folder, runs):
    """What the analysis scripts make of the runs: quantity -> path."""
    made = {name: str(folder / name) for name in ("curve.h5", "rate.json", "laws.json", "bends.json")}
    settings = json.dumps(studies.aggregation_settings(CONFIG, CURVE))
    aggregate.main(["--runs", *runs, "--settings", settings, "--out", made["curve.h5"]])
    adaptation_rate.main(
        [
            "--ensembles",
            made["curve.h5"],
            "--settings",
            json.dumps(CONFIG["analysis"]),
            "--out",
            made["rate.json"],
        ]
    )
    power_laws.main(
        [
            "--ensembles",
            made["curve.h5"],
            "--adaptation-rate",
            made["rate.json"],
            "--out",
            made["laws.json"],
        ]
    )
    transition.main(["--power-laws", made["laws.json"], "--out", made["bends.json"]])
    return made


def train_batch(folder, settings, out, seeds=("0", "1")):
    train.main(
        ["--subset", f"{folder}/subset.h5", "--settings", json.dumps(settings), "--seeds", *seeds]
        + ["--out", str(out)]
    )


def test_calibrate_puts_the_minimum_near_the_target(folder):
    settings = studies.calibration_settings(CONFIG, CURVE)
    out = folder / "rates.json"
    calibrate.main(["--subset", f"{folder}/subset.h5", "--settings", json.dumps(settings), "--out", str(out)])
    content = json.loads(out.read_text())
    last = {trial["scale"]: trial for trial in content["trials"]}
    for trial in last.values():
        middle = np.exp(np.mean(np.log(trial["epochs"])))
        assert settings["target_epoch"] / 1.5 <= middle <= settings["target_epoch"] * 1.5


def test_calibrate_that_fails_says_where_and_writes_nothing(folder, tmp_path):
    settings = {**studies.calibration_settings(CONFIG, CURVE), "max_trials": 1, "first_rate": 1e-6}
    out = tmp_path / "rates.json"
    arguments = ["--subset", f"{folder}/subset.h5", "--settings", json.dumps(settings), "--out", str(out)]
    with pytest.raises(SystemExit) as error:
        calibrate.main(arguments)
    assert "scale 8" in str(error.value)
    assert "learning_rate" in str(error.value)
    assert not out.exists()


def test_train_reads_the_rate_of_its_point(folder, tmp_path):
    rates = tmp_path / "rates.json"
    rates.write_text(json.dumps({"coefficients": [-0.5, np.log(0.08)]}))  # 0.08 / √width
    settings = studies.training_settings(CONFIG, CURVE, 16)
    out = tmp_path / "run.h5"
    train.main(
        ["--subset", f"{folder}/subset.h5", "--learning-rates", str(rates), "--seeds", "1", "1"]
        + ["--settings", json.dumps(settings), "--out", str(out)]
    )
    with h5py.File(out) as file:
        assert file.attrs["learning_rate"] == pytest.approx(0.02)
        assert list(file) == ["seed-0001"]


def test_train_twice_gives_the_same_file(folder, runs, tmp_path):
    settings = {**studies.training_settings(CONFIG, CURVE, 8), "learning_rate": 0.02}
    train_batch(folder, settings, tmp_path / "again.h5")
    with h5py.File(runs[0]) as first, h5py.File(tmp_path / "again.h5") as second:
        assert first.attrs["settings"] == second.attrs["settings"]
        for seed in first:
            np.testing.assert_array_equal(first[seed]["test_loss"], second[seed]["test_loss"])
            np.testing.assert_array_equal(
                first[seed]["spectrum/eigenvalues"], second[seed]["spectrum/eigenvalues"]
            )


def test_aggregate_reports_seeds_and_window(runs, tmp_path, capsys):
    settings = studies.aggregation_settings(CONFIG, CURVE)
    aggregate.main(["--runs", *runs, "--settings", json.dumps(settings), "--out", str(tmp_path / "curve.h5")])
    report = capsys.readouterr().err.splitlines()
    assert len(report) == 3
    assert report[0].startswith("width-8: 2 seeds used")


def test_aggregate_with_too_few_seeds_exits_and_writes_nothing(runs, tmp_path):
    settings = {**studies.aggregation_settings(CONFIG, CURVE), "min_members": 3}
    out = tmp_path / "curve.h5"
    with pytest.raises(
        SystemExit, match=r"scale 8: 2 of 2 seeds are usable, ensemble\.min_members asks for 3"
    ):
        aggregate.main(["--runs", *runs, "--settings", json.dumps(settings), "--out", str(out)])
    assert not out.exists()


def copied_over(path, other):
    """``path`` with the content of ``other``, as by a slip of the hand."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(other, path)
    return str(path)


@pytest.mark.parametrize(
    ("place", "other", "wrong"),
    [
        ("width-16/seeds-0-1.h5", 0, "it holds scale 8, not 16"),
        ("width-8/seeds-2-3.h5", 0, "it holds seed 0, which .* holds too"),
        ("width-8/seeds-2-3.h5", 1, "it holds scale 16, not 8"),
    ],
)
def test_aggregate_refuses_a_run_file_copied_over_another(runs, tmp_path, place, other, wrong):
    kept = [path for path in runs if place not in path]
    swapped = copied_over(tmp_path / place, runs[other])
    settings, out = json.dumps(studies.aggregation_settings(CONFIG, CURVE)), tmp_path / "curve.h5"
    with pytest.raises(SystemExit, match=rf"{place} is not the run file .*: {wrong}\. Delete it"):
        aggregate.main(["--runs", *kept, swapped, "--settings", settings, "--out", str(out)])
    assert not out.exists()


@pytest.mark.parametrize("content", ["dataset", "text", "nothing"])
def test_aggregate_refuses_a_file_that_is_no_run(folder, runs, tmp_path, content):
    path = tmp_path / "width-8/seeds-2-3.h5"
    copied_over(path, folder / "digits.h5")
    if content != "dataset":
        path.write_text("" if content == "nothing" else "no HDF5 file")
    settings, out = json.dumps(studies.aggregation_settings(CONFIG, CURVE)), tmp_path / "curve.h5"
    with pytest.raises(SystemExit, match=r"seeds-2-3\.h5 is not the run file .*: it cannot be read"):
        aggregate.main(["--runs", *runs, str(path), "--settings", settings, "--out", str(out)])


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"settings": {"curve": {"dataset": "mnist-5k"}}}, "it holds curve"),
        ({"settings": {"learning_rate": 0.03}}, "its settings are not those"),
        ({"inputs": {"subset.h5": "another digest"}}, "its inputs are not those"),
    ],
)
def test_aggregate_refuses_runs_of_other_settings_or_inputs(runs, tmp_path, change, wrong):
    path = tmp_path / "width-8/seeds-2-3.h5"
    copied_over(path, runs[0])
    with h5py.File(path, "a") as file:
        file.attrs["seeds"] = "[2, 3]"
        for name, own in change.items():
            content = json.loads(file.attrs[name])
            file.attrs[name] = json.dumps({**content, **own})
    settings, out = json.dumps(studies.aggregation_settings(CONFIG, CURVE)), tmp_path / "curve.h5"
    with pytest.raises(SystemExit, match=wrong):
        aggregate.main(["--runs", *runs, str(path), "--settings", settings, "--out", str(out)])


def test_fetch_without_its_files_exits_with_what_to_do(tmp_path):
    with pytest.raises(SystemExit, match=r"train-images-idx3-ubyte.*data_dir"):
        fetch.main(["--dataset", "mnist", "--data-dir", str(tmp_path), "--out", str(tmp_path / "mnist.h5")])
    assert list(tmp_path.iterdir()) == []


def test_figure_1_is_drawn(fits, tmp_path):
    stem = tmp_path / "figure-1"
    figure_1.main(
        ["--settings", json.dumps({"model-scaling": "digits"}), "--ensembles", fits["curve.h5"]]
        + ["--adaptation-rates", fits["rate.json"], "--out", f"{stem}.pdf"]
    )
    assert_figure(stem, "1", panels=3)


def test_figure_2_is_drawn(fits, tmp_path):
    stem = tmp_path / "figure-2"
    figure_2.main(
        ["--settings", json.dumps([["model-scaling", "digits"]]), "--power-laws", fits["laws.json"]]
        + ["--out", f"{stem}.pdf"]
    )
    assert_figure(stem, "2", panels=3)


def test_figure_3_is_drawn(fits, tmp_path):
    stem = tmp_path / "figure-3"
    figure_3.main(
        ["--settings", json.dumps([["digits", "three-layer"]]), "--transitions", fits["bends.json"]]
        + ["--out", f"{stem}.pdf"]
    )
    assert_figure(stem, "3", panels=1)


def assert_figure(stem, number, panels):
    content = json.loads(stem.with_suffix(".json").read_text())
    assert content["figure"] == number
    assert len(content["panels"]) == panels
    assert all(panel["series"] for panel in content["panels"])
    for suffix in (".pdf", ".png"):
        assert stem.with_suffix(suffix).stat().st_size > 10_000


def test_figure_is_the_same_file_when_drawn_again(fits, tmp_path):
    for stem in (tmp_path / "a", tmp_path / "b"):
        figure_3.main(
            ["--settings", json.dumps([["digits", "three-layer"]]), "--transitions", fits["bends.json"]]
            + ["--out", f"{stem}.pdf"]
        )
    for suffix in (".pdf", ".png", ".json"):
        a, b = (tmp_path / f"{name}{suffix}" for name in "ab")
        assert a.read_bytes() == b.read_bytes()
