"""The device that a process computes on: the CPU or one GPU, as requested, never one in place of the other.

On both, matrix products keep float32's precision; recent GPUs would round the factors to TF32, with 10 bits.
Options of JAX that would change numbers are set whatever the user's environment says.
On a GPU every run gives the same numbers, so that a resumed job ends with those of an uninterrupted one.

This has not run on a GPU. The tests check only what JAX does without a GPU, and that XLA knows the flags.
"""

import os

import jax

from ntklens.machine import processor
from ntklens.machine.gpu_lease import DeviceError, lease_gpu

# Atomic additions, and kernels chosen by timing, would make runs differ. Scatters apply one update after the
# other: the faster deterministic scatters gave wrong results in some versions of XLA (openxla/xla, pull
# requests 31063 and 34870).
SAME_IN_EVERY_RUN = "--xla_gpu_deterministic_ops=true --xla_gpu_enable_scatter_determinism_expander=false"
# Options that environment variables could change, and with them every network: random bits and precision. The
# analysis assumes that the bits do not depend on an array's size (`networks.modules.initial_parameters`).
FIXED = {
    "jax_default_matmul_precision": "highest",
    "jax_default_prng_impl": "threefry2x32",
    "jax_threefry_partitionable": True,
    "jax_enable_x64": False,
}
MEMORY_SHARE = 0.75  # share of a GPU's memory that JAX allocates when it starts: JAX's default
MEMORY_VARIABLES = ("XLA_CLIENT_MEM_FRACTION", "XLA_PYTHON_CLIENT_MEM_FRACTION")  # the new and the old name


def use_device(gpus: int, jobs_per_gpu: int = 1) -> None:
    """Compute on the CPU (``gpus`` = 0) or on one GPU (``gpus`` = 1), leased by `gpu_lease`.

    Call this before JAX's first computation, but after `threads.use_threads`: with a GPU it starts JAX.
    Up to ``jobs_per_gpu`` jobs share a GPU and its memory. Raises DeviceError if there is no GPU, or none
    that JAX can use; macOS never has one.
    """
    for option, value in FIXED.items():
        jax.config.update(option, value)
    if not gpus:
        jax.config.update("jax_platforms", "cpu")
        return
    gpu = lease_gpu(jobs_per_gpu)
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {SAME_IN_EVERY_RUN}".strip()
    if jobs_per_gpu > 1 and not any(os.environ.get(name) for name in MEMORY_VARIABLES):
        os.environ[MEMORY_VARIABLES[0]] = f"{MEMORY_SHARE / jobs_per_gpu:.3f}"
    jax.config.update("jax_platforms", "cuda,cpu")  # JAX computes on the first; callbacks need the second
    _start_on(gpu)


def description() -> dict[str, str | int]:
    """The device of this process, as attributes: name, platform, memory in bytes, precision.

    A GPU's memory is the part that JAX may allocate, 0 if JAX does not know it.
    """
    device = jax.devices()[0]
    # JAX adds its options to the class at run time.
    precision = jax.config.jax_default_matmul_precision  # pyright: ignore[reportAttributeAccessIssue]
    if device.platform == "cpu":
        name, memory = processor.model(), _physical_memory()
    else:
        name, memory = device.device_kind, (device.memory_stats() or {}).get("bytes_limit", 0)
    return {
        "device": name,
        "device_platform": device.platform,
        "device_memory": memory,
        "matmul_precision": precision or "default",
    }


def _start_on(gpu: str) -> None:
    """Start JAX. Raises DeviceError unless it finds exactly one GPU."""
    try:
        found = ", ".join(device.platform for device in jax.devices())
    except RuntimeError as error:
        found = str(error)
    if found not in ("gpu", "cuda"):  # JAX calls it gpu at present
        raise DeviceError(
            f"JAX cannot use the GPU {gpu} (it finds: {found}). Its CUDA plugin comes with "
            "`make setup-cuda` or envs/train-cuda.yaml (snakemake --sdm conda). If it is installed, check "
            "driver and free memory with nvidia-smi. Or set device: cpu"
        )


def _physical_memory() -> int:
    """This machine's memory in bytes. Linux and macOS both answer."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
