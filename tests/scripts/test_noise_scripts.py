"""The noise study's scripts called as functions, in the workflow's order, on small networks."""

import json

import h5py
import numpy as np
import pytest
from ntklens.analysis.noise_ensemble import read_noise_ensembles
from ntklens.planning import paths
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.storage.noise_run_files import read_noise_run

from workflow.scripts import aggregate_noise, fetch, figure_4, figure_7, subsample, train_noise

LEVELS = (0, 50, 80)
NETWORKS = {
    "dense": {"hidden_layers": 2, "width": 16, "convolutions": 0, "initialisation": "xavier-uniform"},
    "convolutional": {
        "hidden_layers": 1,
        "width": 8,
        "convolutions": 2,
        "filters": 4,
        "kernel_size": 3,
        "pooling": "max",
        "initialisation": "he-uniform",
    },
}
SETTINGS = {
    "train_samples": 60,
    "draw_seed": 0,
    "sigma": 0.01,
    "sgd": {"learning_rate": 0.05, "momentum": 0.9, "batch_size": 16},
    "epochs": 8,
    "evaluate_every": 4,
    "spectrum_epochs": [0, 1, 8],
    "ntk_samples": 5,
    "ntk_draws": 3,
}


def settings_of(network, level):
    return {
        "curve": {"study": "noise-scaling", "dataset": "digits", "network": network},
        "removed_percent": level,
        "network": {**NETWORKS[network], "parametrisation": "standard", "biases": True},
        **SETTINGS,
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Dataset and subset."""
    folder = tmp_path_factory.mktemp("noise")
    fetch.main(["--dataset", "digits", "--out", f"{folder}/digits.h5"])
    settings = json.dumps({"test_samples": 300, "ntk_samples": 10, "split_seed": 0})
    subsample.main(
        ["--dataset", f"{folder}/digits.h5", "--settings", settings, "--out", f"{folder}/subset.h5"]
    )
    return folder


def train(folder, settings, out, *options):
    train_noise.main(
        ["--subset", f"{folder}/subset.h5", "--settings", json.dumps(settings), "--seeds", "0", "1"]
        + ["--out", str(out), *options]
    )


@pytest.fixture(scope="module")
def runs(folder):
    """network -> run files of seeds 0 and 1 at every level."""
    files = {network: [] for network in NETWORKS}
    for network, made in files.items():
        for level in LEVELS:
            out = folder / network / f"removed-{level}" / "seeds-0-1.h5"
            train(folder, settings_of(network, level), out)
            made.append(str(out))
    return files


@pytest.fixture(scope="module")
def ensembles(folder, runs):
    """network -> file of its levels' averages."""
    made = {}
    for network, files in runs.items():
        made[network] = str(folder / f"{network}.h5")
        aggregate(files, made[network], network)
    return made


def aggregate(runs, out, network="dense"):
    curve = {"study": "noise-scaling", "dataset": "digits", "network": network}
    settings = json.dumps({"curve": curve, "points": {f"removed-{level}": level for level in LEVELS}})
    aggregate_noise.main(["--runs", *runs, "--settings", settings, "--out", str(out)])


def draw(script, ensembles, out):
    settings = json.dumps([["digits", network] for network in ensembles])
    script.main(["--settings", settings, "--ensembles", *ensembles.values(), "--out", str(out)])
    return json.loads(out.with_suffix(".json").read_text())


def test_levels_lie_in_folders_of_the_names_that_the_workflow_gives_them():
    for level in LEVELS:
        assert paths.point_name("noise-scaling", level) == f"removed-{level}"


@pytest.mark.parametrize("network", NETWORKS)
def test_train_noise_measures_every_epoch_it_was_asked_for(runs, network):
    for path, level in zip(runs[network], LEVELS, strict=True):
        for trajectory in read_noise_run(path):
            assert trajectory.status == "ok"
            assert trajectory.epoch.tolist() == [0, 1, 4, 8]
            assert trajectory.eigenvalues.shape == (3, 3, 50)
            np.testing.assert_allclose(trajectory.eigenvalues.sum(axis=-1), 50, rtol=1e-4)
            replaced = trajectory.source != np.arange(60)
            assert replaced.sum() == 10 * round(6 * level / 100)
            assert trajectory.curves["train_loss"][-1] < trajectory.curves["train_loss"][0]


def test_train_noise_records_where_a_run_comes_from(runs):
    with h5py.File(runs["dense"][1]) as file:
        assert json.loads(file.attrs["settings"]) == settings_of("dense", 50)
        assert json.loads(file.attrs["seeds"]) == [0, 1]
        assert file.attrs["ntk_rows"] == 50
        assert "subset.h5" in file.attrs["inputs"]
        assert list(file) == ["seed-0000", "seed-0001"]


@pytest.mark.parametrize("network", NETWORKS)
def test_train_noise_twice_gives_the_same_numbers_by_any_number_of_threads(folder, runs, tmp_path, network):
    train(folder, settings_of(network, 50), tmp_path / "again.h5", "--threads", "2")
    with h5py.File(runs[network][1]) as first, h5py.File(tmp_path / "again.h5") as second:
        for seed in first:
            for name in ("train_loss", "test_accuracy", "spectrum/eigenvalues", "source"):
                np.testing.assert_array_equal(first[seed][name], second[seed][name])


def test_levels_share_initial_parameters_and_samples(runs):
    none, half, most = (read_noise_run(path)[0] for path in runs["dense"])
    for other in (half, most):
        np.testing.assert_array_equal(other.eigenvalues[0], none.eigenvalues[0])
        np.testing.assert_array_equal(other.train_indices, none.train_indices)


def test_train_noise_says_progress_and_how_seeds_ended(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(train_noise.Progress, "INTERVAL", 0.0)
    train(folder, settings_of("dense", 50), tmp_path / "run.h5")
    lines = capsys.readouterr().err.splitlines()
    assert sum("seed 1, epoch 8: train loss" in line for line in lines) == 1
    assert [line.partition(", epoch")[0] for line in lines[-2:]] == ["seed 0: ok", "seed 1: ok"]


def test_train_noise_whose_samples_cannot_be_balanced_says_what_to_change(folder, tmp_path):
    out = tmp_path / "run.h5"
    with pytest.raises(SystemExit, match="make train_samples a multiple of 10"):
        train(folder, {**settings_of("dense", 50), "train_samples": 64}, out)
    assert not out.exists()


def test_aggregate_noise_averages_every_level(runs, ensembles):
    levels = read_noise_ensembles(ensembles["dense"])
    assert [level.removed_percent for level in levels] == list(LEVELS)
    for level, path in zip(levels, runs["dense"], strict=True):
        ranks = effective_rank([t.eigenvalues for t in read_noise_run(path)])  # (seeds, epochs, draws)
        np.testing.assert_allclose(level.effective_rank, ranks.mean(axis=(0, 2)))
        assert level.seeds.tolist() == [0, 1]


def test_aggregate_noise_reports_every_level(runs, tmp_path, capsys):
    aggregate(runs["dense"], tmp_path / "dense.h5")
    report = capsys.readouterr().err.splitlines()
    assert [line.partition(",")[0] for line in report] == [f"removed-{n}: 2 seeds used" for n in LEVELS]


def test_aggregate_noise_names_a_level_without_usable_seeds_and_writes_nothing(runs, folder, tmp_path):
    diverged = tmp_path / "removed-80" / "seeds-0-1.h5"
    settings = settings_of("dense", 80)
    train(folder, {**settings, "sgd": {**settings["sgd"], "learning_rate": 1e30}}, diverged)
    with pytest.raises(SystemExit, match="80 % removed: none of 2 seeds"):
        aggregate([*runs["dense"][:2], str(diverged)], tmp_path / "dense.h5")
    assert not (tmp_path / "dense.h5").exists()


def test_figure_4_shows_effective_ranks_by_level_with_provenance(ensembles, tmp_path):
    out = tmp_path / "figure-4.pdf"
    content = draw(figure_4, ensembles, out)
    assert content["figure"] == "4"
    assert [(panel["dataset"], panel["network"]) for panel in content["panels"]] == [
        ("digits", network) for network in NETWORKS
    ]
    for panel, path in zip(content["panels"], ensembles.values(), strict=True):
        assert panel["network"] in panel["title"]
        assert panel["xlabel"] == "Epoch"
        labels = [series["label"] for series in panel["series"]]
        assert labels == ["0 % removed", "50 % removed", "80 % removed"]
        for series, level in zip(panel["series"], read_noise_ensembles(path), strict=True):
            assert series["removed_percent"] == level.removed_percent
            assert series["x"] == [0, 1, 8]
            np.testing.assert_allclose(series["y"], level.effective_rank)
            np.testing.assert_allclose(series["high"], level.effective_rank + level.effective_rank_error)
            np.testing.assert_allclose(series["low"], level.effective_rank - level.effective_rank_error)
    assert set(content["provenance"]["inputs"]) == set(ensembles.values())
    for suffix in (".pdf", ".png"):
        assert out.with_suffix(suffix).stat().st_size > 10_000


def test_figure_7_shows_train_above_test_accuracies(ensembles, tmp_path):
    content = draw(figure_7, ensembles, tmp_path / "figure-7.pdf")
    assert content["figure"] == "7"
    assert [(panel["quantity"], panel["network"]) for panel in content["panels"]] == [
        (quantity, network) for quantity in ("train_accuracy", "test_accuracy") for network in NETWORKS
    ]
    for panel in content["panels"]:
        levels = read_noise_ensembles(ensembles[panel["network"]])
        for series, level in zip(panel["series"], levels, strict=True):
            assert series["x"] == [0, 1, 4, 8]
            np.testing.assert_allclose(series["y"], getattr(level, panel["quantity"]))


def test_figures_drawn_twice_are_the_same_bytes(ensembles, tmp_path):
    for name in ("once", "twice"):
        draw(figure_4, ensembles, tmp_path / name / "figure-4.pdf")
    for suffix in (".pdf", ".png", ".json"):
        first, second = ((tmp_path / name / "figure-4").with_suffix(suffix) for name in ("once", "twice"))
        assert first.read_bytes() == second.read_bytes()
