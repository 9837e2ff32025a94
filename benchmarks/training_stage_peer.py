"""neural-tangents' times for one network: training_stage.py starts this in neural-tangents' environment.

    python training_stage_peer.py HIDDEN_LAYERS WIDTH

prints the milliseconds of one NTK by the fastest implementation, those of one trace, for which only the
diagonal blocks of the kernel are computed, and the CPU seconds from the interpreter's start until both have
been computed once.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ["NPROC"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp
from ntklens.kernel.neural_tangents import import_neural_tangents

from tests.support.architectures import Mlp

ROUNDS = 5


def median_milliseconds(call: Callable[[], Any]) -> float:
    times: list[float] = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        jax.block_until_ready(call())
        times.append(1000 * (time.perf_counter() - begin))
    return statistics.median(times)


def main(hidden_layers: int, width: int) -> None:
    nt = import_neural_tangents()
    model = Mlp(hidden_layers * (width,), 10)
    x = jax.random.uniform(jax.random.key(1), (128, 784))
    params = model.init(jax.random.key(0), x)
    structured = nt.NtkImplementation.STRUCTURED_DERIVATIVES
    kernel_fn = nt.empirical_ntk_fn(model.apply, trace_axes=(), vmap_axes=0, implementation=structured)
    ntk = jax.jit(lambda params: kernel_fn(x, None, params))

    @jax.jit
    def trace(params: Any) -> jax.Array:
        blocks = jax.vmap(lambda sample: kernel_fn(sample[None], None, params)[0, 0])(x)
        return jnp.einsum("ikk->", blocks)

    full = float(jnp.einsum("iikk->", ntk(params)))
    assert abs(float(trace(params)) / full - 1) < 1e-4
    startup = time.process_time()
    print(
        json.dumps(
            {
                "ntk": median_milliseconds(lambda: ntk(params)),
                "trace": median_milliseconds(lambda: trace(params)),
                "startup": startup,
            }
        )
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
