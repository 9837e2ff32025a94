"""How many threads XLA and the linear algebra libraries use."""

import os

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
