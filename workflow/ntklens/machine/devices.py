"""The device that a process computes on: the CPU alone or one GPU, never one in place of the other.

On both, matrix products keep float32's precision; recent GPUs would round the factors to TF32, of 10 bits.
On a GPU every run gives the same numbers, so that a job that goes on after a kill ends like an undisturbed
one.

No GPU has run this. Tried are what JAX does where it finds none, and that its XLA knows the flags.
"""

import os

import jax

from ntklens.machine import processor
from ntklens.machine.gpu_lease import DeviceError, lease_gpu

# Atomic additions, and kernels chosen by timing, would make runs differ. Scatters make one update after the
# other: the faster deterministic ones gave wrong results in versions of XLA (openxla/xla, pull requests 31063
# and 34870).
SAME_IN_EVERY_RUN = "--xla_gpu_deterministic_ops=true --xla_gpu_enable_scatter_determinism_expander=false"
MEMORY_SHARE = 0.75  # of a GPU, which JAX takes when it starts: its own default
MEMORY_VARIABLES = ("XLA_CLIENT_MEM_FRACTION", "XLA_PYTHON_CLIENT_MEM_FRACTION")  # new and old name of it


def use_device(gpus, jobs_per_gpu=1):
    """Compute on the CPU alone (``gpus`` = 0) or on one GPU (1), leased as `gpu_lease` says.

    To be called before JAX's first computation, but after `threads.use_threads`: this starts JAX on a GPU.
    Up to ``jobs_per_gpu`` jobs share a GPU and its memory. Raises DeviceError where there is no GPU, or none
    that JAX can use.
    """
    jax.config.update("jax_default_matmul_precision", "highest")
    if not gpus:
        jax.config.update("jax_platforms", "cpu")
        return
    gpu = lease_gpu(jobs_per_gpu)
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {SAME_IN_EVERY_RUN}".strip()
    if jobs_per_gpu > 1 and not any(os.environ.get(name) for name in MEMORY_VARIABLES):
        os.environ[MEMORY_VARIABLES[0]] = f"{MEMORY_SHARE / jobs_per_gpu:.3f}"
    jax.config.update("jax_platforms", "cuda,cpu")  # the first is what computes, callbacks need the second
    _start_on(gpu)


def description():
    """What this process computes on, as attributes: name, platform, memory in bytes, precision.

    A GPU's memory is what JAX may take of it, 0 where JAX does not know.
    """
    device = jax.devices()[0]
    if device.platform == "cpu":
        name, memory = processor.model(), _physical_memory()
    else:
        name, memory = device.device_kind, (device.memory_stats() or {}).get("bytes_limit", 0)
    return {
        "device": name,
        "device_platform": device.platform,
        "device_memory": memory,
        "matmul_precision": jax.config.jax_default_matmul_precision or "default",
    }


def _start_on(gpu):
    """Start JAX. Raises DeviceError unless it finds one GPU then."""
    try:
        found = ", ".join(device.platform for device in jax.devices())
    except RuntimeError as error:
        found = str(error)
    if found not in ("gpu", "cuda"):  # JAX says gpu for the time being
        raise DeviceError(
            f"JAX cannot use the GPU {gpu} (it finds: {found}). Its CUDA plugin comes with "
            "envs/train-cuda.yaml (snakemake --sdm conda) or by "
            f'pip install "jax[cuda12]=={jax.__version__}". Where that is installed, look at what nvidia-smi '
            "says of driver and memory. Or set device: cpu"
        )


def _physical_memory():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
