"""The scripts of `snakemake verify`, with a plain Jacobian's kernels in the place of neural-tangents'."""

import csv
import json
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ntklens.data.settings import DataSettings
from ntklens.data.subsets import Subset
from ntklens.kernel.ntk import ntk_matrix
from ntklens.networks.architectures import INITIALISATIONS, NetworkSettings
from ntklens.networks.modules import DenseNetwork, initial_parameters
from ntklens.spectrum.eigenvalues import eigenvalues, normalised
from ntklens.storage.curve import Curve
from ntklens.storage.hdf5 import add_dataset, add_group
from ntklens.storage.records import new_record
from ntklens.storage.run_files import OK, Minimum, Spectrum, Trajectory
from ntklens.storage.run_writer import write_run
from ntklens.studies.jobs import TrainingSettings
from ntklens.studies.recipes import Measurement, Recipe
from ntklens.training.optimisers import Sgd
from ntklens.training.schedules import Stop

from tests.support.origins import origin, resealed
from workflow.scripts import neural_tangents_kernels, verify

SETTINGS = TrainingSettings(
    curve=Curve("model-scaling", "blobs", "three-layer"),
    scale=6,
    subset="ab" * 32,
    learning_rates=None,
    network=NetworkSettings(hidden_layers=2, width=6),
    data=DataSettings(train_samples=4, balanced=False, draw_seed=0),
    recipe=Recipe(Sgd(0.9), None, 0.1, Stop.fixed(1), evaluate_every=1, vary="initialisation"),
    measurement=replace(Measurement.nothing(), ntk_samples=4),
)
RUN = "width-6/seeds-0-2.h5"
MODEL = DenseNetwork(2, 6, 3)
IMAGES = np.random.default_rng(0).uniform(size=(4, 5)).astype(np.float32)


def trajectory(seed, keep_parameters):
    """A seed whose training is not looked at, with its NTK at the minimum as the workflow measures it."""
    params = initial_parameters(MODEL, 5, seed)
    theta = np.asarray(ntk_matrix(MODEL, params, IMAGES))
    none, no_rows = np.zeros(0, np.float32), np.zeros(0, np.int32)
    minimum = Minimum(
        epoch=0,
        train_loss=1.0,
        test_loss=1.0,
        ntk_trace=float(np.trace(theta)),
        eigenvalues=eigenvalues(normalised(theta)),
        ntk_eigenvalues=eigenvalues(theta),
        loss_susceptibility=1.0,
        spectral_position=0.5,
        parameters=params["params"] if keep_parameters else None,
    )
    curves = dict.fromkeys(("train_loss", "test_loss", "train_accuracy", "test_accuracy"), none)
    no_draws = np.zeros((0, 1))
    unmeasured = Spectrum(no_rows, np.zeros((0, 1, 12), np.float32), no_draws, no_draws, no_draws)
    return Trajectory(
        seed=seed,
        status=OK,
        epoch=no_rows,
        test_epoch=no_rows,
        curves=curves,
        trace_epoch=no_rows,
        ntk_trace=none,
        layers=(),
        layer_traces=np.zeros((0, 0), np.float32),
        spectrum=unmeasured,
        train_indices=no_rows,
        minimum=minimum,
    )


@pytest.fixture
def case(tmp_path, monkeypatch):
    """Arguments for verify.main: a run of three seeds, the first two with parameters, and their kernels."""
    labels = np.zeros(4, np.int32)
    subset = Subset(IMAGES, labels, IMAGES, labels, classes=3, image_shape=(1, 5, 1))
    monkeypatch.setattr(verify, "read_subset", lambda path, made_with: subset)
    (tmp_path / "blobs.h5").touch()
    write_run(tmp_path / RUN, [trajectory(seed, seed < 2) for seed in range(3)], origin("run", SETTINGS))
    theirs = origin("neural-tangents' kernels", SETTINGS, versions={"neural-tangents": "none"})
    with new_record(tmp_path / "kernels.h5", "by a Jacobian", theirs) as file, jax.enable_x64(True):
        for seed, layers in neural_tangents_kernels.saved_parameters(tmp_path / RUN).items():
            theta = kernel_by_jacobian(layers, np.float64(IMAGES))
            group = add_group(file, seed, "one seed")
            add_dataset(group, "ntk", theta, "kernel")
            add_dataset(group, "ntk_trace", np.trace(theta), "trace")
            add_dataset(group, "effective_rank", neural_tangents_kernels.effective_rank(theta), "rank")
    arguments = {"runs": RUN, "kernels": "kernels.h5", "subsets": "blobs.h5", "out": "table.csv"}
    return [word for name in arguments for word in (f"--{name}", str(tmp_path / arguments[name]))]


def kernel_by_jacobian(layers, x):
    jacobian = jax.jacrev(lambda layers: neural_tangents_kernels.network(layers, [1.0] * 3, x).ravel())(
        layers
    )
    rows = np.concatenate([leaf.reshape(len(leaf), -1) for leaf in jax.tree.leaves(jacobian)], axis=1)
    return rows @ rows.T


def test_table_has_a_row_for_each_seed_with_parameters(case, tmp_path):
    verify.main(case)
    with (tmp_path / "table.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["dataset"], row["point"], row["seed"]) for row in rows] == [
        ("blobs", "width-6", "0"),
        ("blobs", "width-6", "1"),
    ]
    for row in rows:
        assert all(float(row[name]) < 1e-5 for name in row if "difference" in name)
    assert len(json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))["rows"]) == 2


@pytest.mark.parametrize(
    ("file", "dataset", "far"),
    [
        (RUN, "ntk_trace", {"stored_trace"}),
        (RUN, "eigenvalues", {"stored_effective_rank"}),
        (RUN, "parameters/hidden_2/kernel", {"ntk", "trace", "effective_rank"}),
        ("kernels.h5", "ntk", {"ntk"}),
    ],
)
def test_wrong_number_anywhere_fails_and_is_shown(case, tmp_path, capsys, file, dataset, far):
    with resealed(tmp_path / file) as content:
        seed = content["seed-0001"]
        values = seed["minimum" if file == RUN else "."][dataset]
        # Not all by the same factor, which a normalised kernel would not show.
        values[...] = values[()] + 0.02 * np.max(values)
    with pytest.raises(SystemExit, match="1 of 2 networks differ"):
        verify.main(case)
    assert not (tmp_path / "table.csv").exists()
    row = dict(item.split(": ") for item in capsys.readouterr().err.splitlines()[-1].split(", "))
    differences = {key: float(value) for key, value in row.items() if key.endswith("_difference")}
    assert {key.removesuffix("_difference") for key in differences if differences[key] > 1e-4} == far


def test_network_whose_ntk_is_zero_in_both_has_no_row(case, tmp_path, capsys):
    for seed in (0, 1):
        with resealed(tmp_path / RUN) as run, resealed(tmp_path / "kernels.h5") as kernels:
            run[f"seed-000{seed}/minimum/ntk_trace"][...] = 0
            kernels[f"seed-000{seed}/ntk_trace"][...] = 0
        if seed == 0:
            verify.main(case)
            assert "the NTK of seed 0 is zero in both" in capsys.readouterr().err
            assert (tmp_path / "table.csv").read_text(encoding="utf-8").count("\n") == 2
    with pytest.raises(SystemExit, match="there is nothing to compare"):
        verify.main(case)


def test_number_that_is_none_fails():
    assert verify.within_tolerance({"point": "width-8", "ntk_difference": 1e-5})
    assert not verify.within_tolerance({"point": "width-8", "ntk_difference": float("nan")})


def test_run_without_parameters_says_which_key_to_change(tmp_path):
    with new_record(tmp_path / RUN, "a run", origin("run")) as file:
        add_group(add_group(file, "seed-0000", "one seed"), "minimum", "no parameters kept")
    with pytest.raises(SystemExit, match=r"training\.save_parameters is 0"):
        neural_tangents_kernels.main(
            ["--run", str(tmp_path / RUN), "--subset", "subset.h5", "--out", str(tmp_path / "out.h5")]
        )
    assert not (tmp_path / "out.h5").exists()


@pytest.mark.parametrize("parametrisation", ["standard", "ntk"])
@pytest.mark.parametrize("initialisation", INITIALISATIONS)
@pytest.mark.parametrize("biases", [True, False])
def test_network_written_out_is_the_one_that_was_trained(tmp_path, parametrisation, initialisation, biases):
    # Eleven hidden layers: "hidden_10" sorts before "hidden_2".
    model = DenseNetwork(11, 5, 3, initialisation, parametrisation, biases)
    params = initial_parameters(model, 4, seed=0)
    settings = {"initialisation": initialisation, "parametrisation": parametrisation}
    with new_record(tmp_path / RUN, "a run", origin("run")) as file:
        for layer, arrays in params["params"].items():
            for name, values in arrays.items():
                file[f"seed-0000/minimum/parameters/{layer}/{name}"] = values
    (layers,) = neural_tangents_kernels.saved_parameters(tmp_path / RUN).values()
    factors = neural_tangents_kernels.kernel_factors(settings, layers)
    x = np.random.default_rng(0).standard_normal((6, 4))
    expected = model.apply(params, jnp.asarray(x, jnp.float32))
    found = neural_tangents_kernels.network(layers, factors, x)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("theta", "rank"),
    [(np.diag([1.0, 1.0]), 2.0), (np.diag([1.0, 9.0, 4.0]), 3.0), (np.ones((5, 5)), 1.0)],
)
def test_effective_rank_of_simple_kernels(theta, rank):
    assert neural_tangents_kernels.effective_rank(theta) == pytest.approx(rank, rel=1e-9)


def test_without_a_curve_to_verify_the_script_says_so(tmp_path):
    arguments = ["--runs", "--kernels", "--subsets", "--made-with", "--out", str(tmp_path / "table.csv")]
    with pytest.raises(SystemExit, match="the config has no curve to verify"):
        verify.main(arguments)
    assert not list(tmp_path.iterdir())
