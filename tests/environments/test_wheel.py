"""The wheel of ntklens, installed where nothing else is, computes an NTK and reads a run file."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from ntklens.storage.quantities import CURVES
from ntklens.storage.run_files import OK, Spectrum, Trajectory
from ntklens.storage.run_writer import write_run
from packaging.utils import canonicalize_name

from tests.support.environment_files import LOCKS, ROOT, pins
from tests.support.origins import origin

# The NTK of one linear layer is x xᵀ + 1 for each output, and zero between different outputs.
PROGRAM = """
import sys
import ntklens
assert not {"jax", "numpy"} & set(sys.modules), "importing ntklens alone loads JAX or NumPy"
from flax import linen as nn
import jax
from ntklens import effective_rank, layer_kernels, ntk_matrix, ntk_trace, read_run

model, x = nn.Dense(3), jax.random.normal(jax.random.key(0), (4, 5))
params = model.init(jax.random.key(1), x)
theta = ntk_matrix(model, params, x)
expected = jax.numpy.kron(x @ x.T + 1, jax.numpy.eye(3))
assert jax.numpy.allclose(theta, expected, rtol=1e-5), theta - expected
assert jax.numpy.allclose(ntk_trace(model, params, x), jax.numpy.trace(expected), rtol=1e-5)
assert len(layer_kernels(model, params, x)) == 1
assert abs(effective_rank(jax.numpy.ones(6)) - 6) < 1e-4
(trajectory,) = read_run(sys.argv[1])
print(ntklens.__version__, trajectory.seed)
"""
HELD = (
    "import json; from importlib.metadata import distributions as d; print(json.dumps([f.name for f in d()]))"
)


@pytest.fixture
def run(tmp_path):
    """A run file of seed 3, one epoch long."""
    numbers = np.ones(1, np.float32)
    trajectory = Trajectory(
        seed=3,
        status=OK,
        epoch=np.zeros(1, np.int32),
        test_epoch=np.zeros(1, np.int32),
        curves=dict.fromkeys(CURVES, numbers),
        trace_epoch=np.zeros(1, np.int32),
        ntk_trace=numbers,
        layers=("output",),
        layer_traces=numbers[:, None],
        spectrum=Spectrum(np.zeros(1, np.int32), np.ones((1, 1, 4), np.float32), *3 * [np.ones((1, 1))]),
        train_indices=np.arange(2),
    )
    path = tmp_path / "seeds-3-3.h5"
    write_run(path, [trajectory], origin("run", seeds=[3]))
    return path


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """The Python of an environment that holds the wheel and what it requires, at the lock's versions."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", folder, ROOT], check=True)
    (wheel,) = folder.glob("ntk_lens-*.whl")
    locked = pins(LOCKS[0], "{}.{}".format(*sys.version_info))
    constraints = folder / "constraints.txt"
    constraints.write_text(
        "".join(f"{name}=={version}\n" for name, version in locked.items()), encoding="utf-8"
    )
    subprocess.run([sys.executable, "-m", "venv", folder / "bare"], check=True)
    python = folder / "bare/bin/python"
    install = [python, "-m", "pip", "install", "--quiet", "--constraint", constraints, f"{wheel}[cpu]"]
    result = subprocess.run(install, capture_output=True, encoding="utf-8")
    if "No matching distribution" in result.stderr:
        pytest.skip("pip reaches no index to take packages from")
    assert result.returncode == 0, result.stderr
    return python


def output_of(python, folder, code, *arguments):
    """What ``python`` prints when it runs ``code``; no environment variable leads to other packages."""
    variables = {"PATH": os.defpath, "HOME": str(folder)}
    command = [python, "-c", code, *map(str, arguments)]
    result = subprocess.run(command, cwd=folder, env=variables, capture_output=True, encoding="utf-8")
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_wheel_computes_an_ntk_and_reads_a_run_file(bare, tmp_path, run):
    assert output_of(bare, tmp_path, PROGRAM, run) == "0.1.0 3\n"


def test_wheel_requires_nothing_of_the_workflow(bare, tmp_path):
    held = {canonicalize_name(name) for name in json.loads(output_of(bare, tmp_path, HELD))}
    assert {"ntk-lens", "jax", "flax", "scipy"} <= held
    assert held.isdisjoint({"snakemake", "pydantic", "cattrs", "matplotlib", "beartype", "pytest"})


def test_command_line_inspects_a_run_file(bare, tmp_path, run):
    main = "import sys; from ntklens.__main__ import main; main(['inspect', sys.argv[1]])"
    assert "seed-0003" in output_of(bare, tmp_path, main, run)
