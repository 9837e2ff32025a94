"""Own studies on the smoke config: axes and recipes set by config alone, from data to figures."""

import json

import h5py
import numpy as np
import pytest
import yaml
from ntklens.storage.averages import read_averages

from tests.support.repositories import copy_repository

NETWORKS = {"narrow": {"hidden_layers": 2, "width": 6}, "wide": {"hidden_layers": 2, "width": 24}}
RECIPES = {
    "adam": {},
    "full-batch-sgd": {"optimizer": "sgd", "momentum": 0.9},
    "mini-batch-adam": {"batch_size": 20, "epochs": 20, "learning_rate": 0.003, "evaluate_every": 5},
}
COMMON = {"dataset": "digits", "train_samples": 60}
STUDIES = {
    "sgd-width": [
        {
            **COMMON,
            "axis": "width",
            "recipe": "full-batch-sgd",
            "networks": ["narrow"],
            "scales": [8, 16, 32],
            "calibrate_at": [8, 32],
        }
    ],
    "depth-scaling": [
        {**COMMON, "axis": "depth", "networks": ["narrow"], "scales": [1, 2, 4], "calibrate_at": [1, 4]}
    ],
    "padding": [
        {
            **COMMON,
            "axis": "input_size",
            "image_fit": "zero-padded",
            "networks": ["narrow"],
            "scales": [8, 12],
            "learning_rate": 0.02,
        }
    ],
    "mini-batch-data": [
        {
            "dataset": "digits",
            "axis": "train_samples",
            "recipe": "mini-batch-adam",
            "networks": ["narrow", "wide"],
            "scales": [40, 80],
            "vary": "both",
            "ntk_draws": 2,
            "spectrum_epochs": [0, 5, 20],
        }
    ],
}
AXES = {"sgd-width": "width", "depth-scaling": "depth", "padding": "pixels", "mini-batch-data": "size"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A repository in which only these studies have run, and none of the paper's."""
    repository = copy_repository(tmp_path_factory.mktemp("own") / "repository")
    path = repository / "config/smoke.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    config |= {"networks": NETWORKS, "recipes": RECIPES, "studies": STUDIES}
    config["calibration"]["first_rate"] = 0.02
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    result = repository.snakemake()
    assert result.returncode == 0, result.stdout + result.stderr
    return repository


def runs(own, study):
    return sorted((own / "results/smoke/runs" / study).rglob("seeds-*.h5"))


@pytest.mark.parametrize("study", STUDIES)
def test_every_point_is_trained_in_the_folder_of_its_axis(own, study):
    (entry,) = STUDIES[study]
    expected = {f"{AXES[study]}-{scale}" for scale in entry["scales"]}
    assert {path.parent.name for path in runs(own, study)} == expected
    for path in runs(own, study):
        with h5py.File(path) as file:
            assert all(seed.attrs["status"] == "ok" for seed in file.values())


def test_full_batch_descent_is_calibrated_into_the_window(own):
    for path in runs(own, "sgd-width"):
        with h5py.File(path) as file:
            assert json.loads(file.attrs["settings"])["recipe"]["optimiser"]["name"] == "sgd"
            epochs = [seed["minimum/epoch"][()] for seed in file.values()]
        assert 10 < np.exp(np.mean(np.log(epochs))) < 120  # the window is 20 to 60


def test_depth_adds_layers(own):
    for path in runs(own, "depth-scaling"):
        depth = int(path.parent.name.removeprefix("depth-"))
        with h5py.File(path) as file:
            if "parameters" in file["seed-0000/minimum"]:
                assert len(file["seed-0000/minimum/parameters"]) == depth + 1


def test_zero_padding_changes_the_input_and_not_the_task(own):
    small, large = sorted(
        runs(own, "padding"), key=lambda path: int(path.parent.name.removeprefix("pixels-"))
    )
    with h5py.File(small) as one, h5py.File(large) as other:
        kernels = [file["seed-0000/minimum/parameters/hidden_1/kernel"].shape for file in (one, other)]
        np.testing.assert_array_equal(one["seed-0000/train_indices"], other["seed-0000/train_indices"])
    assert kernels == [(64, 6), (144, 6)]


def test_mini_batches_for_a_fixed_number_of_epochs_have_draws_and_no_minimum(own):
    for path in runs(own, "mini-batch-data"):
        with h5py.File(path) as file:
            for seed in file.values():
                assert seed["epoch"][:].tolist() == [0, 5, 10, 15, 20]
                assert seed["spectrum/eigenvalues"].shape == (3, 2, 160)
                assert "minimum" not in seed


def test_averages_go_along_the_scales(own):
    (curve,) = (own / "results/smoke/averages/depth-scaling").rglob("*.h5")
    points = read_averages(curve)
    assert [point.scale for point in points] == [1, 2, 4]
    assert all(len(point.minimum["trace_ratio"]) == 3 for point in points)


@pytest.mark.parametrize(
    "key",
    [
        *("sgd-width-laws", "sgd-width-dynamics", "sgd-width-transition"),
        *("depth-scaling-laws", "depth-scaling-dynamics", "padding-laws", "padding-dynamics"),
        "mini-batch-data-epochs",
    ],
)
def test_figures_of_own_studies_are_made(own, key):
    stem = f"results/smoke/figures/figure-{key}"
    assert (own / f"{stem}.pdf").read_bytes().startswith(b"%PDF")
    content = json.loads((own / f"{stem}.json").read_text(encoding="utf-8"))
    assert content["figure"] == key
    assert content["panels"]
    assert all(len(series["x"]) > 1 for panel in content["panels"] for series in panel["series"])


def test_no_figure_of_the_paper_is_made_from_them(own):
    assert not list((own / "results/smoke/figures").glob("figure-[1-8].*"))


def test_second_call_does_nothing(own):
    assert own.jobs() == {}
