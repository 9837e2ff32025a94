"""The device that a process computes on. GPUs are simulated here, so that JAX cannot use them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest
from ntklens.machine import devices

WORKFLOW = str(Path(__file__).parents[2] / "workflow")
# A dense and a convolutional network, 30 steps of Adam each, in the given precision of matrix products.
TRAINING = """
import hashlib, sys
import jax, jax.numpy as jnp, numpy as np, optax
from ntklens.networks.architectures import NetworkSettings
from ntklens.networks.modules import build_network

def parameters(network, precision):
    model = build_network(network, image_shape=(8, 8, 1), outputs=4)
    x = jax.random.uniform(jax.random.key(0), (40, 64))
    params, adam = model.init(jax.random.key(1), x), optax.adam(0.01)
    labels = jnp.arange(40) % 4

    def loss(params):
        return optax.softmax_cross_entropy_with_integer_labels(model.apply(params, x), labels).mean()

    @jax.jit
    def step(params, state):
        updates, state = adam.update(jax.grad(loss)(params), state)
        return optax.apply_updates(params, updates), state

    state = adam.init(params)
    with jax.default_matmul_precision(precision):
        for _ in range(30):
            params, state = step(params, state)
    return [np.asarray(leaf) for leaf in jax.tree.leaves(params)]

common = {"width": 32, "filters": 4, "initialisation": "he-uniform"}
for shape in ({"hidden_layers": 3, "convolutions": 0}, {"hidden_layers": 1, "convolutions": 2}):
    network = NetworkSettings(**common, **shape)
    default, highest = (parameters(network, precision) for precision in (None, "highest"))
    print(all(np.array_equal(a, b) for a, b in zip(default, highest, strict=True)))
"""


@pytest.fixture
def run(tmp_path):
    """Runs Python in a process that finds one simulated GPU."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "nvidia-smi").write_text("#!/bin/sh\necho 0, GPU-1234\n", encoding="utf-8")
    (tools / "nvidia-smi").chmod(0o755)

    def run(program, **variables):
        environment = {
            **{key: value for key, value in os.environ.items() if key not in devices.MEMORY_VARIABLES},
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": WORKFLOW,
            "TMPDIR": str(tmp_path),
            **variables,
        }
        for name in ("SLURM_JOB_ID", "CUDA_VISIBLE_DEVICES", "XLA_FLAGS", "JAX_PLATFORMS"):
            if name not in variables:
                environment.pop(name, None)
        command = [sys.executable, "-c", program]
        return subprocess.run(command, env=environment, capture_output=True, encoding="utf-8")

    return run


USE_GPU = """
import jax, json, os
from ntklens.machine.devices import use_device
try:
    use_device(1, {jobs})
finally:
    names = ("CUDA_VISIBLE_DEVICES", "XLA_FLAGS", "XLA_CLIENT_MEM_FRACTION")
    print(json.dumps([os.environ.get(name) for name in names]))
"""


def test_job_for_a_gpu_never_falls_back_to_the_cpu(run):
    """JAX itself does: if CUDA and the CPU are requested, it accepts the CPU alone."""
    result = run(USE_GPU.format(jobs=1), JAX_PLATFORMS="cpu")
    assert result.returncode == 1
    assert "DeviceError: JAX cannot use the GPU GPU-1234" in result.stderr
    for advice in ("make setup-cuda", "envs/train-cuda.yaml", "nvidia-smi", "device: cpu"):
        assert advice in result.stderr


def test_job_for_a_gpu_fails_where_jax_has_started_on_the_cpu(run):
    result = run(f"import jax; jax.numpy.ones(3)\n{USE_GPU.format(jobs=1)}", JAX_PLATFORMS="cpu")
    assert result.returncode == 1
    assert "JAX cannot use the GPU GPU-1234 (it finds: cpu)" in result.stderr


def test_missing_plugin_is_named(monkeypatch):
    """JAX raises RuntimeError if there is a GPU but no plugin or no driver for it."""
    monkeypatch.setattr("jax.devices", Mock(side_effect=RuntimeError("Unable to initialize backend 'cuda'")))
    with pytest.raises(devices.DeviceError, match=r"it finds: Unable to initialize backend 'cuda'\)"):
        devices._start_on("GPU-1234")


@pytest.mark.parametrize("platforms", [["gpu", "gpu"], ["tpu"], []])
def test_anything_but_one_gpu_is_an_error(monkeypatch, platforms):
    monkeypatch.setattr("jax.devices", lambda: [Mock(platform=platform) for platform in platforms])
    with pytest.raises(devices.DeviceError):
        devices._start_on("GPU-1234")


def test_one_gpu_is_none(monkeypatch):
    monkeypatch.setattr("jax.devices", lambda: [Mock(platform="gpu")])
    devices._start_on("GPU-1234")


@pytest.mark.parametrize(
    ("jobs", "variables", "fraction"),
    [(1, {}, None), (2, {}, "0.375"), (2, {"XLA_CLIENT_MEM_FRACTION": "0.2"}, "0.2")],
)
def test_settings_for_a_gpu(run, jobs, variables, fraction):
    result = run(USE_GPU.format(jobs=jobs), XLA_FLAGS="--xla_cpu_enable_fast_math=false", **variables)
    flags = f"--xla_cpu_enable_fast_math=false {devices.SAME_IN_EVERY_RUN}"
    assert json.loads(result.stdout) == ["GPU-1234", flags, fraction]


def test_share_that_the_user_gives_by_its_old_name_is_kept(run):
    """JAX refuses to start if both names are set."""
    result = run(USE_GPU.format(jobs=2), XLA_PYTHON_CLIENT_MEM_FRACTION="0.2")
    assert json.loads(result.stdout)[2] is None


def test_xla_knows_the_flags_for_a_gpu(run):
    """XLA aborts a process whose flags it does not know."""
    compute = "import jax; print(float(jax.numpy.ones(3).sum()))"
    known, unknown = devices.SAME_IN_EVERY_RUN, "--xla_gpu_no_such_flag=true"
    assert run(compute, XLA_FLAGS=known, JAX_PLATFORMS="cpu").stdout == "3.0\n"
    assert run(compute, XLA_FLAGS=unknown, JAX_PLATFORMS="cpu").returncode != 0


def test_job_for_the_cpu_uses_it_whatever_jax_would_prefer(run):
    """The environment requests CUDA: JAX would fail here, and use the GPU on another machine."""
    program = (
        "import jax, json; from ntklens.machine.devices import description, use_device; use_device(0);"
        "print(json.dumps([[d.platform for d in jax.devices()], description()]))"
    )
    first, second = (run(program, JAX_PLATFORMS="cuda") for _ in range(2))
    assert first.returncode == 0, first.stderr
    platforms, attributes = json.loads(first.stdout)
    assert platforms == ["cpu"]
    assert attributes["device_platform"] == "cpu"
    assert attributes["device"] not in ("", "cpu")
    assert attributes["device_memory"] > 2**28
    assert attributes["matmul_precision"] == "highest"
    assert second.stdout == first.stdout


def test_environment_does_not_change_the_numbers(run):
    """Each of these changes the initial parameters of a seed, or the precision of all that follows."""
    program = (
        "from ntklens.machine.devices import use_device; use_device(0); import jax, jax.numpy as jnp;"
        "draw = jax.random.normal(jax.random.key(0), (3, 5)); print(draw.dtype, draw.tolist())"
    )
    changes = {
        "JAX_THREEFRY_PARTITIONABLE": "0",
        "JAX_DEFAULT_PRNG_IMPL": "rbg",
        "JAX_ENABLE_X64": "1",
        "JAX_DEFAULT_MATMUL_PRECISION": "default",
    }
    plain, changed = run(program), run(program, **changes)
    assert changed.returncode == 0, changed.stderr
    assert changed.stdout == plain.stdout


def test_description_of_a_gpu(monkeypatch):
    gpu = Mock(platform="gpu", device_kind="NVIDIA H100", memory_stats=lambda: {"bytes_limit": 64 * 2**30})
    monkeypatch.setattr("jax.devices", lambda: [gpu])
    attributes = devices.description()
    assert attributes["device"] == "NVIDIA H100"
    assert attributes["device_platform"] == "gpu"
    assert attributes["device_memory"] == 64 * 2**30


def test_gpu_that_does_not_tell_its_memory(monkeypatch):
    monkeypatch.setattr(
        "jax.devices", lambda: [Mock(platform="gpu", device_kind="GPU", memory_stats=lambda: None)]
    )
    assert devices.description()["device_memory"] == 0


def test_precision_changes_no_number_on_the_cpu(run):
    result = run(TRAINING, JAX_PLATFORMS="cpu")
    assert result.stdout == "True\nTrue\n", result.stderr
