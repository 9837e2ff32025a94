"""The number of threads that XLA and the linear algebra libraries use."""

import os

from threadpoolctl import threadpool_limits


def use_threads(count: int) -> None:
    """Let XLA and the linear algebra libraries use ``count`` threads on the CPU.

    A fixed number keeps results independent of the number of cores. Call this before JAX's first
    computation, when XLA reads its settings. On macOS a NumPy built on Apple's Accelerate keeps its own
    number of threads: threadpoolctl cannot limit that library.
    """
    os.environ["NPROC"] = str(count)
    if count == 1:
        flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()
    threadpool_limits(count)
