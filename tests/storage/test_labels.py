"""Other programs find axes and plots in the files, and files without labels are read alike."""

import re
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray
from ntklens.storage.averages import read_averages, write_averages
from ntklens.storage.hdf5 import add_dataset, new_file
from ntklens.storage.labels import attach, make_scale, mark_plot
from ntklens.storage.records import origin_of
from ntklens.storage.run_files import DIVERGED, read_run_file
from ntklens.storage.run_writer import write_run
from silx.io.nxdata import NXdata, get_default

from tests.storage.test_averages import INITIAL, LAYERS, LOSS, RANK, SHARES, averaged
from tests.storage.test_run_files import assert_same, noise, scaling
from tests.support.before_labels import file_from_before
from tests.support.origins import origin

PAGE = (Path(__file__).parents[2] / "docs" / "files.md").read_text(encoding="utf-8")
MEMBERS = {"test_loss": np.array([[3, 2, 1], [1, 2, 3]], np.float32)}
ALONG = {"effective_rank": RANK, "test_loss": LOSS, "layer_traces": SHARES}
PARAMETERS = {"hidden_1": {"kernel": np.ones((3, 2), np.float32), "bias": np.zeros(2)}}


@pytest.fixture
def run(tmp_path):
    """One seed of a scaling study, one of a noise study, and one without spectra."""
    path = tmp_path / "seeds-3-5.h5"
    write_run(path, [scaling(3, PARAMETERS), noise(4), noise(5, DIVERGED, spectra=0)], origin("run"))
    return path


@pytest.fixture
def averages(tmp_path):
    path = tmp_path / "curve.h5"
    points = [averaged(scale, initial=INITIAL, along=ALONG, members=MEMBERS) for scale in (8, 64)]
    write_averages(path, points, origin("averages"))
    return path


def opened(path, group):
    """The group as xarray has it, all of it in memory."""
    with xarray.open_dataset(path, group=group, engine="h5netcdf") as dataset:
        return dataset.load()


@pytest.mark.parametrize(
    ("group", "dims"),
    [
        ("seed-0003", {"train_loss": ("train_epoch",), "test_accuracy": ("test_epoch",)}),
        ("seed-0004", {"train_indices": ("train_sample",), "copied_from": ("train_sample",)}),
        ("seed-0003/trace", {"ntk_trace": ("epoch",), "layer_traces": ("epoch", "layer")}),
        (
            "seed-0004/spectrum",
            {"eigenvalues": ("epoch", "draw", "eigenvalue_index"), "ntk_trace": ("epoch", "draw")},
        ),
        ("seed-0003/spectrum", {"label_alignment": ("epoch", "draw")}),
        ("seed-0003/minimum", {"eigenvalues": ("eigenvalue_index",), "epoch": (), "test_loss": ()}),
        ("seed-0003/ends", {"kernel_change": ()}),
        ("seed-0003/ends/initial", {"conjugate_ranks": ("layer",), "weighted_trace": ()}),
        ("seed-0003/ends/minimum", {"bias_traces": ("layer",)}),
    ],
)
def test_xarray_names_the_axes_of_a_run_file(run, group, dims):
    dataset = opened(run, group)
    assert {name: dataset[name].dims for name in dims} == dims
    assert not [name for name in dataset.dims if str(name).startswith("phony")]
    assert set(dataset.dims) == set(dataset.coords)


@pytest.mark.parametrize(
    ("group", "dims"),
    [
        ("scale-000008", {"seeds": ("seeds",)}),
        ("scale-000008/test_loss", {"mean": ("epoch",), "error": ("epoch",), "members": ("seed", "epoch")}),
        ("scale-000064/layer_traces", {"mean": ("epoch", "layer"), "error": ("epoch", "layer")}),
        (
            "scale-000064/minimum",
            {"trace_ratio": ("seed",), "epoch": ("seed",), "layer_traces": ("seed", "layer")},
        ),
        ("scale-000064/initial", {"conjugate_ranks": ("seed", "layer")}),
    ],
)
def test_xarray_names_the_axes_of_averages(averages, group, dims):
    dataset = opened(averages, group)
    assert {name: dataset[name].dims for name in dims} == dims
    assert set(dataset.dims) == set(dataset.coords)


def test_xarray_selects_by_the_values_along_an_axis(run, averages):
    seed = scaling(3)
    trace = opened(run, "seed-0003/trace")
    assert trace["layer"].values.tolist() == ["hidden_1", "output"]
    assert float(trace["layer_traces"].sel(epoch=4, layer="output")) == seed.layer_traces[2, 1]
    spectrum = opened(run, "seed-0003/spectrum")["eigenvalues"]
    np.testing.assert_array_equal(spectrum.sel(epoch=4, draw=0), seed.spectrum.eigenvalues[1, 0])
    loss = opened(averages, "scale-000064/test_loss")["members"]
    assert float(loss.sel(seed=3, epoch=5)) == 3


def test_example_on_the_page_on_files_runs(tmp_path, monkeypatch, capsys):
    (example,) = (
        code for code in re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S) if "xarray" in code
    )
    for width in (16, 64):
        folder = tmp_path / f"results/laptop/runs/model-scaling/mnist-5k/three-layer/width-{width}"
        write_run(folder / "seeds-0-4.h5", [scaling(seed) for seed in range(5)], origin("run"))
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(example, names)
    assert names["trace"].dims == ("width", "seed", "epoch")
    np.testing.assert_array_equal(names["trace"].sel(width=16, seed=3), scaling(3).ntk_trace)
    assert names["traces"].dims == ("epoch",)
    assert float(capsys.readouterr().out.split()[0]) == scaling(3).spectrum.eigenvalues[1, 0, 5]


def test_xarray_knows_units_and_names(run):
    loss = opened(run, "seed-0003")["test_loss"]
    assert (loss.attrs["units"], loss.attrs["long_name"]) == ("nat", "Test loss")


def test_h5py_finds_the_scales_of_an_axis(run):
    with h5py.File(run) as file:
        spectrum = file["seed-0004/spectrum"]
        axes = [axis[0].name for axis in spectrum["eigenvalues"].dims]
        assert axes == [f"{spectrum.name}/{name}" for name in ("epoch", "draw", "eigenvalue_index")]


def test_silx_plots_the_losses_of_a_run_file_unasked(run):
    with h5py.File(run) as file:
        plot = get_default(file)
        assert (plot.signal.name, plot.axes_dataset_names) == ("/seed-0003/test_loss", ["test_epoch"])
        assert plot.auxiliary_signals == []  # the train loss is at other epochs
        noise_plot = get_default(file["seed-0004"])
        assert noise_plot.auxiliary_signals_dataset_names == ["train_loss"]


def test_silx_plots_a_mean_with_its_errors_unasked(averages):
    with h5py.File(averages) as file:
        plot = get_default(file)
        assert plot.signal.name == "/scale-000008/test_loss/mean"
        assert plot.errors == file["scale-000008/test_loss/error"]
        assert plot.axes_names == ["Epoch"]


def test_silx_plots_spectra_as_curves_on_a_logarithmic_axis(run):
    with h5py.File(run) as file:
        for seed in ("seed-0003", "seed-0004"):
            plot = get_default(file[f"{seed}/spectrum"])
            assert (plot.interpretation, plot.plot_style.signal_scale_type) == ("spectrum", "log")
            assert plot.axes_dataset_names == ["epoch", "draw", "eigenvalue_index"]


@pytest.mark.parametrize("which", ["run", "averages"])
def test_every_group_to_plot_is_valid(which, request):
    plots, issues = [], []

    def note(name, item):
        if item.attrs.get("NX_class") == "NXdata":
            plots.append(name)
            issues.extend(NXdata(item).issues)

    with h5py.File(request.getfixturevalue(which)) as file:
        file.visititems(note)
    assert len(plots) >= 8
    assert issues == []


def test_group_without_values_is_not_plotted(run):
    with h5py.File(run) as file:
        assert file["seed-0005/spectrum/eigenvalues"].shape == (0, 2, 6)
        assert get_default(file["seed-0005/spectrum"]) is None


@pytest.mark.parametrize("which", ["run", "averages"])
def test_plots_are_no_part_of_the_origin(which, request):
    expected = {**origin(which), "description": origin_of(request.getfixturevalue(which))["description"]}
    assert origin_of(request.getfixturevalue(which)) == expected


def test_axis_of_another_length_than_its_scale_raises(tmp_path):
    with new_file(tmp_path / "out.h5", "a file") as file:
        make_scale(add_dataset(file, "epoch", [0, 1, 2], "epochs"))
        values = add_dataset(file, "values", [1.0, 2.0], "two numbers")
        with pytest.raises(ValueError, match="/values has 2 values along epoch, which has 3"):
            attach(values, ["epoch"])
        mark_plot(file, "nothing", ["epoch"])
        assert dict(file.attrs) == {"description": "a file"}


def test_run_file_from_before_labels_is_read_alike(tmp_path):
    read = read_run_file(file_from_before("storage/run.h5", tmp_path))
    assert read.origin["seeds"] == [3, 4]
    for found, expected in zip(read.trajectories, [scaling(3, PARAMETERS), noise(4)], strict=True):
        assert_same(found, expected)


def test_averages_from_before_labels_are_read_alike(tmp_path):
    path = tmp_path / "now.h5"
    point = averaged(initial=INITIAL, along=ALONG, members=MEMBERS, layers=LAYERS)
    write_averages(path, [point], origin("averages"))
    (found,) = read_averages(file_from_before("storage/averages.h5", tmp_path))
    (expected,) = read_averages(path)
    assert found.along.keys() == expected.along.keys()
    for name, mean in expected.along.items():
        assert_same(found.along[name]._asdict(), mean._asdict())
    assert_same(replace(found, along={}), replace(expected, along={}))
