"""Costs by hand-made unit times, operations against JAX's own shapes, and every shipped config."""

import copy
import math
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import yaml
from ntklens.costs import operations
from ntklens.costs import prices as costs
from ntklens.costs.units import UnitCosts, interpolated, read_unit_costs
from ntklens.kernel import ntk
from ntklens.kernel.jacobian import outputs_and_pieces
from ntklens.networks.modules import build_network, initial_parameters
from ntklens.planning import curves as studies
from ntklens.planning.config import complete

from tests.support.small_config import BY_SIZE, BY_WIDTH, small

ROOT = Path(__file__).parents[2]
MEASURED = read_unit_costs()
CONFIGS = sorted((ROOT / "config").glob("*.yaml"))
LAYER = {"convolutions": 0, "filters": 4, "kernel_size": 3, "pooling": "max", "biases": True}
DENSE = {**LAYER, "hidden_layers": 2, "width": 8}
CONVOLUTIONAL = {**LAYER, "convolutions": 2, "hidden_layers": 1, "width": 6}


def of(changes=(), base=None):
    """The total of a config: ``changes`` to `small`, pairs of a path and a value."""
    config = copy.deepcopy(base or small())
    for path, value in changes:
        place = config
        for key in path[:-1]:
            place = place[key] if isinstance(key, int) else place.setdefault(key, {})
        place[path[-1]] = value
    return costs.jobs_of(complete(config), MEASURED)


def spent(jobs, *parts):
    return sum(job.seconds.get(part, 0.0) for job in jobs for part in parts)


@pytest.mark.parametrize(
    ("network", "shape"),
    [(DENSE, (4, 5, 3)), (CONVOLUTIONAL, (9, 8, 3)), ({**CONVOLUTIONAL, "pooling": "none"}, (5, 5, 1))],
)
def test_operations_count_the_layers_that_the_network_has(network, shape):
    layers = operations.layers_of(network, shape, outputs=7)
    model = build_network(network, shape, outputs=7)
    x = jnp.zeros((3, math.prod(shape)))
    params = initial_parameters(model, x.shape[1], seed=0)
    assert operations.parameters(layers) == sum(leaf.size for leaf in jax.tree.leaves(params))
    pieces = outputs_and_pieces(model, params, x)[1].values()
    assert [(p.inputs.shape[1:], p.sensitivity.shape[1:]) for p in pieces] == [
        ((layer.positions, layer.inputs), (7, layer.positions, layer.units)) for layer in layers
    ]


def test_operations_of_a_tiny_network():
    layers = [operations.Layer(1, 5, 3), operations.Layer(1, 3, 2)]
    assert operations.parameters(layers) == 5 * 3 + 3 + 3 * 2 + 2
    assert operations.parameters(layers, biases=False) == 5 * 3 + 3 * 2
    assert operations.forward(layers) == 2 * (15 + 6)
    assert operations.update(layers, samples=4) == 4 * 6 * 21
    assert operations.trace(layers, samples=4) == 4 * 2 * 2 * 6  # back through the last layer alone
    assert operations.activations(layers) == 5


def test_a_convolution_is_multiplied_in_its_cheaper_form():
    convolution, last = operations.Layer(1024, 27, 32), operations.Layer(1, 10, 4)
    rows = 400 * 4
    written = 2 * rows * 1024 * 27 * 32 + rows**2 * 27 * 32
    share = operations.kernel([convolution, last], 400) - operations.kernel([last], 400)
    assert share == written + 400 * 2 * 1024 * 27 * 32 + operations.trace([convolution, last], 400)


@pytest.mark.parametrize(("size", "seconds"), [(1, 0.5), (2, 1.0), (4, 2.0), (8, 4.0), (16, 8.0)])
def test_units_of_one_rate_give_that_rate(size, seconds):
    assert interpolated([(2, 1.0), (8, 4.0)], size) == pytest.approx(seconds)


def test_between_two_units_lies_their_geometric_mean():
    assert interpolated([(1, 1.0), (100, 16.0)], 10) == pytest.approx(4.0)


def unit_times():
    """Simple numbers at one dense network of 64 pixels, 8 units and 10 outputs."""
    unit = {"network": DENSE, "image_shape": (8, 8, 1), "train_sample": 1e-6, "test_sample": 2e-6}
    unit |= {"update": 1e-3, "trace": 5e-3, "kernel": 7e-3}
    start_up = {
        "calibrate": 2.0,
        "calibrate_anchor": 3.0,
        "train": 10.0,
        "train_compiled": 4.0,
        "train_other_size": 6.0,
    }
    return UnitCosts(
        {
            "scaling_ntk_samples": 128,
            "scaling_outputs": 10,
            "scaling": [unit],
            "spectra": [{"rows": 1280, "eigenvalues": 0.05, "alignments": 0.2}],
            "start_up": {kind: {"seconds": time, "memory": 4e8} for kind, time in start_up.items()},
        }
    )


def one_point():
    """Seven seeds of one network, in batches of five and two; 240 epochs are run to see epoch 220 pass."""
    return complete(
        {
            "name": "one",
            "ensemble": {"seeds": 7},
            "training": {
                "window": {"first": 55, "last": 220},
                "patience": 1.2,
                "trace_every": 4,
                "spectrum_epochs": [0, 1, 10],
            },
            "analysis": {"smoothing_epochs": 8},
            "calibration": {"seeds": 3},
            "studies": {
                "model-scaling": [
                    {
                        "dataset": "digits",
                        "networks": ["three-layer"],
                        "widths": [8],
                        "calibrate_at": [8],
                        "seeds_per_job": 5,
                    }
                ]
            },
        }
    )


def test_a_tiny_config_by_hand():
    jobs = costs.jobs_of(one_point(), unit_times())
    fetch, subsample, calibration, first, second = jobs
    assert [job.kind for job in jobs] == ["fetch", "subsample", "calibrate", "train", "train"]
    epoch = 1e-3 + 100 * 1e-6 + 500 * 2e-6
    # Of five seeds and two; four NTKs in epochs 0, 1, 2 and 10, one in 11, one at the minimum.
    for job, seeds, start_up in ((first, 5, 10.0), (second, 2, 6.0)):
        assert job.seconds == pytest.approx(
            {
                "start-up": start_up,
                "training": seeds * 240 * epoch,
                "traces": seeds * 60 * 5e-3,
                "NTKs": seeds * 6 * 7e-3,
                "spectra": seeds * (5 * 0.05 + 3 * 0.2),
            }
        )
    # The window's middle is 110; trials last 1.2 · 1.1 · 110 = 145 epochs, in chunks of 20.
    trials = costs.TRIALS_PER_ANCHOR * 3 * 160 * epoch
    assert calibration.seconds == pytest.approx({"start-up": 5.0, "training": trials})
    total = costs.total(jobs)
    assert total.jobs == 5
    assert total.core_seconds == pytest.approx(sum(sum(job.seconds.values()) for job in jobs))
    assert total.longest == pytest.approx(first.core_seconds)
    assert costs.wall_seconds(jobs, 1) == pytest.approx(total.core_seconds)
    assert costs.wall_seconds(jobs, 1000) == pytest.approx(calibration.core_seconds + first.core_seconds)
    assert first.disk > second.disk > 0.93 * 4 * 2 * 5 * 640
    assert fetch.disk == subsample.disk == 1797 * 64


def test_programs_are_compiled_once():
    config = small()
    config["ensemble"] = {"seeds": 12}
    for entries in config["studies"].values():
        entries[0]["seeds_per_job"] = 5
    runs = [job for job in costs.jobs_of(complete(config), unit_times()) if job.kind == "train"]
    three_layer, by_size = (
        [(job.scale, job.seconds["start-up"]) for job in runs if job.curve == curve]
        for curve in (BY_WIDTH, BY_SIZE)
    )
    # The third batch, of two seeds, has a training of its own to compile.
    assert three_layer == [(8, 10.0), (8, 4.0), (8, 6.0), (32, 10.0), (32, 4.0), (32, 6.0)]
    assert by_size == [(40, 10.0), (40, 4.0), (40, 6.0), (160, 6.0), (160, 4.0), (160, 6.0)]


def test_spectra_go_with_the_cube_of_the_rows():
    units = unit_times()
    assert units.eigenvalues(2560) == pytest.approx(8 * 0.05)
    assert units.alignments(640) == pytest.approx(0.2 / 8)


def test_twice_the_seeds_take_twice_the_training():
    once, twice = (of([(("ensemble",), {"seeds": seeds})]) for seeds in (5, 10))
    for part in ("training", "traces", "NTKs", "spectra"):
        runs = [[job for job in jobs if job.kind == "train"] for jobs in (once, twice)]
        assert spent(runs[1], part) == pytest.approx(2 * spent(runs[0], part))
    calibrations = [[job for job in jobs if job.kind == "calibrate"] for jobs in (once, twice)]
    assert spent(calibrations[1], "training") == pytest.approx(spent(calibrations[0], "training"))


@pytest.mark.parametrize(
    ("path", "values"),
    [
        (("test_samples",), [200, 400, 800]),
        (("ntk_samples",), [16, 64, 128, 256]),
        (("training", "trace_every"), [4, 2, 1]),
        (("calibration", "seeds"), [1, 3, 9]),
        (("studies", "model-scaling", 0, "widths"), [[8, 16], [8, 32], [8, 64]]),
        (("studies", "data-scaling", 0, "sizes"), [[40, 120], [40, 160], [40, 320]]),
        (("networks", "three-layer"), [{"hidden_layers": 1}, {"hidden_layers": 2}, {"hidden_layers": 5}]),
    ],
)
def test_more_of_anything_costs_more(path, values):
    networks = {"three-layer": {"hidden_layers": 2}, "four-layer": {"hidden_layers": 3}}
    base = {**small(), "networks": networks}
    seconds = [costs.total(of([(path, value)], base)).core_seconds for value in values]
    assert seconds == sorted(set(seconds))


def test_a_given_rate_needs_no_calibration():
    jobs = of([((*("studies", "model-scaling", 0), "learning_rate"), 0.01)])
    assert {job.curve.study for job in jobs if job.kind == "calibrate"} == {"data-scaling"}


@pytest.mark.parametrize(("own_test", "pool", "test"), [(0, 600, 100), (60, 640, 60)])
def test_a_file_of_the_users_counts_its_own_samples(tmp_path, own_test, pool, test):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (700, 4, 5), dtype=np.uint8)
    labels = np.arange(700) % 3
    parts = {"images": images[own_test:], "labels": labels[own_test:]}
    if own_test:
        parts |= {"test_images": images[:own_test], "test_labels": labels[:own_test]}
    np.savez(tmp_path / "own.npz", **parts)
    config = small()
    config |= {"test_samples": 100, "ntk_samples": 50}
    config["studies"]["model-scaling"][0]["dataset"] = str(tmp_path / "own.npz")
    config = complete(config)
    (curve, *_) = studies.curves(config, "model-scaling")
    assert costs.data_of(config, curve) == costs.Data((4, 5, 1), 3, 700, pool, test)


def test_memory_and_disk_grow_with_the_network():
    jobs = [job for job in of() if job.curve == BY_WIDTH and job.kind == "train"]
    assert [job.scale for job in jobs] == [8, 32]
    assert jobs[0].memory < jobs[1].memory
    assert jobs[0].disk < jobs[1].disk


def test_seeds_of_the_noise_study_share_what_a_job_takes_to_start():
    entry = {"dataset": "mnist-5k-4", "networks": ["dense"], "train_samples": 400, "removed_percent": [0]}
    entry |= {"ntk_samples": 100, "epochs": 10, "spectrum_epochs": [0, 10], "seeds": 3}
    alone, together = (
        of([(("studies",), {"noise-scaling": [{**entry, "seeds_per_job": size}]})])[2:] for size in (1, 3)
    )
    assert (len(alone), len(together)) == (3, 1)
    for part in ("training", "NTKs", "spectra"):
        assert spent(together, part) == pytest.approx(spent(alone, part))
    assert 3 * spent(together, "start-up") == pytest.approx(spent(alone, "start-up"))
    assert together[0].memory == alone[0].memory
    assert together[0].disk == pytest.approx(sum(job.disk for job in alone))


def test_memory_knows_the_blocks_of_the_ntk():
    """Ever more samples: of J's pieces no more is held than `ntk` holds, of NTKs all."""
    assert costs.PIECES_MEMORY == ntk.MEMORY
    network = {"convolutions": 3, "filters": 32, "hidden_layers": 1, "width": 64}
    held = [
        costs._kernels(operations.layers_of({**LAYER, **network}, (32, 32, 3), 4), samples, matrices=0)
        for samples in (200, 400, 8000, 80000)
    ]
    assert held[0] < held[1] < held[2] == held[3] == costs.PIECES_AT_ONCE * ntk.MEMORY


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_shipped_config_has_finite_costs(path):
    config = complete(yaml.safe_load(path.read_text()))
    jobs = costs.jobs_of(config, MEASURED)
    for job in jobs:
        numbers = [*job.seconds.values(), job.core_seconds, job.memory, job.disk]
        assert all(math.isfinite(number) and number > 0 for number in numbers)
        assert job.gpu_seconds > 0 or job.curve.study == "data"
    assert {job.curve for job in jobs if job.curve.study != "data"} == set(studies.curves(config))
    assert sum(job.kind.startswith("train") for job in jobs) == sum(
        len(studies.batches(config, curve, scale))
        for curve in studies.curves(config)
        for scale in studies.scales(config, curve)
    )


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_figure_needs_the_curves_that_its_rule_names(path):
    config = complete(yaml.safe_load(path.read_text()))
    rules = re.split(r"\nrule figure_", "\n" + (ROOT / "workflow/rules/figures.smk").read_text())[1:]
    named = {}
    for rule in rules:
        expressions = re.findall(r"for_curves\(paths\..*?, (studies\.\w+\(.*?\))\)", rule)
        curves = [eval(expression, {"studies": studies, "config": config}) for expression in expressions]
        named[int(rule.partition(":")[0])] = {curve for some in curves for curve in some}
    assert len(named) >= 8
    assert {number: set(curves) for number, curves in studies.figure_curves(config).items()} == {
        number: curves for number, curves in named.items() if curves
    }


def test_the_total_is_that_of_the_studies_and_no_figure_costs_more():
    config = complete(yaml.safe_load((ROOT / "config/paper.yaml").read_text()))
    jobs = costs.jobs_of(config, MEASURED)
    groups = costs.by_study(jobs)
    assert sum(costs.total(own).core_seconds for own in groups.values()) == pytest.approx(
        costs.total(jobs).core_seconds
    )
    for curves in studies.figure_curves(config).values():
        assert 0 < costs.total(costs.jobs_for(jobs, curves)).core_seconds < costs.total(jobs).core_seconds
