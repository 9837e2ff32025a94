"""How much of the machine a job may use, and where it keeps what it compiled."""

import hashlib
import os
import platform
from pathlib import Path

from threadpoolctl import threadpool_limits


def use_threads(count):
    """Let XLA and the linear algebra libraries use ``count`` threads on the CPU.

    A fixed number keeps results independent of how many cores a machine has. To be called before
    the first JAX computation, when XLA reads its settings.
    """
    os.environ["NPROC"] = str(count)
    if count == 1:
        flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()
    threadpool_limits(count)


def use_compilation_cache():
    """Keep XLA's programs between jobs, in the folder that NTKLENS_COMPILATION_CACHE names.

    Without that variable nothing is kept. Processors of different kinds have a folder each: a program
    compiled for one may hold instructions that another lacks.
    """
    folder = os.environ.get("NTKLENS_COMPILATION_CACHE")
    if not folder:
        return
    import jax

    jax.config.update("jax_compilation_cache_dir", str(Path(folder, _processor())))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _processor():
    """A name for the instruction set of this machine's processor."""
    flags = "unknown"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        flags = next((line for line in lines if line.startswith(("flags", "Features"))), flags)
    return f"{platform.machine()}-{hashlib.sha256(flags.encode()).hexdigest()[:12]}"
