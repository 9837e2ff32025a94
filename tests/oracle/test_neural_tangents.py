"""Our NTK and limits agree with those of neural-tangents, computed differently and with another JAX."""

import os
import subprocess
from pathlib import Path

import h5py
import jax
import numpy as np
import pytest
from ntklens.kernel import infinite_width as limit
from ntklens.kernel.ntk import ntk_matrix, ntk_trace

from tests.oracle.questions import DTYPES, LIMITS, limit_samples, network_questions, write_questions
from tests.support.architectures import ARCHITECTURES, DIGITS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ORACLE = ROOT / ".venv-oracle"
IMPLEMENTATIONS = {"JACOBIAN_CONTRACTION", "NTK_VECTOR_PRODUCTS", "STRUCTURED_DERIVATIVES"}
# The NTK of a tied kernel is refused, see tests/kernel/test_selfcheck.py.
EXACT = [name for name in ARCHITECTURES if name != "tied-kernel"]
NAMES = [*EXACT, *(f"{name}-{when}" for name in DIGITS for when in ("initial", "trained"))]
# Relative, in the Frobenius norm.
TOLERANCE = {"float32": 1e-5, "float64": 1e-10}

if not (ORACLE / "ready").exists():
    pytest.skip("neural-tangents is not set up: run `make oracle`", allow_module_level=True)


@pytest.fixture(scope="module")
def networks():
    return network_questions()


@pytest.fixture(scope="module")
def answers(networks, tmp_path_factory):
    """The answers by the names of the questions. One process answers all: most of its time is its start."""
    folder = tmp_path_factory.mktemp("oracle")
    write_questions(folder / "questions.h5", networks)
    result = subprocess.run(
        [ORACLE / "bin/python", HERE / "answer.py", folder / "questions.h5", folder / "answers.h5"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "workflow"), str(ROOT)])},
        capture_output=True,
        encoding="utf-8",
    )
    assert result.returncode == 0, result.stderr
    with h5py.File(folder / "answers.h5") as file:
        return {name: {key: item[()] for key, item in group.items()} for name, group in file.items()}


def difference(ours, theirs):
    """‖ours − theirs‖_F / ‖theirs‖_F."""
    return np.linalg.norm(np.float64(ours) - theirs) / np.linalg.norm(np.float64(theirs))


def kernel_and_trace(model, params, x):
    return ntk_matrix(model, params, x), ntk_trace(model, params, x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_ntk_is_that_of_neural_tangents(networks, answers, name, dtype):
    with jax.enable_x64(dtype == "float64"):
        params, x = networks[name].arrays(dtype)
        theta, trace = jax.jit(kernel_and_trace, static_argnums=0)(networks[name].model, params, x)
    assert theta.dtype == dtype
    assert set(answers[f"{name} {dtype}"]) == IMPLEMENTATIONS
    for implementation, expected in answers[f"{name} {dtype}"].items():
        assert theta.shape == expected.shape
        assert difference(theta, expected) < TOLERANCE[dtype], implementation
        expected_trace = np.trace(np.float64(expected))
        assert float(trace) == pytest.approx(expected_trace, rel=TOLERANCE[dtype]), implementation


@pytest.mark.parametrize("name", LIMITS)
def test_limit_is_that_of_neural_tangents(answers, name):
    widths, layer = LIMITS[name]["widths"], LIMITS[name]["layer"]
    weights, biases, x = layer["W_std"], layer["b_std"], limit_samples()
    variances = weights**2, None if biases is None else biases**2
    if layer["parameterization"] == "standard":
        theta = limit.ntk(x, widths, 1, *variances)
    else:
        theta = limit.ntk_parametrised(x, len(widths), 1, weights, biases or 0.0)
    # Its angles come from cosines, so that those of parallel samples are off by up to 1e-8.
    assert difference(theta, answers[name]["ntk"]) < 1e-8
    assert difference(limit.nngp(x, len(widths), *variances), answers[name]["nngp"]) < 1e-10
