"""Time and memory of one implementation of the NTK: ntk_matrix.py starts this as a process of its own.

    python ntk_case.py '{"implementation": "ours", "layers": 3, "width": 64, ...}'

prints a JSON object: the seconds of each call after the first, the peak of memory in bytes beyond that of
parameters and samples, the NTK's Frobenius norm and its trace. It works in the workflow's environment and in
that of neural-tangents, with JAX 0.4.25.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import reduce
from pathlib import Path
from typing import Any

# One thread. The second flag is that of the older JAX.
os.environ["NPROC"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp
import numpy as np

from tests.support.architectures import Mlp, PaperConvolutions

Parameters = Any  # nested dictionaries of arrays
KernelFunction = Callable[[Parameters, jax.Array], jax.Array]


def network(case: Mapping[str, Any]) -> tuple[Any, Parameters, jax.Array]:
    """A Flax model, its parameters by LeCun initialisation, and samples."""
    rng = np.random.default_rng(0)
    if case["network"] == "dense":
        model, shape = Mlp(case["layers"] * (case["width"],), case["outputs"]), (784,)
    else:
        model, shape = PaperConvolutions(case["outputs"]), (32, 32, 3)
    x = rng.random((case["samples"], *shape), dtype=np.float32)
    shapes = jax.eval_shape(model.init, jax.random.key(0), x)

    def draw(leaf: jax.ShapeDtypeStruct) -> jax.Array:
        if len(leaf.shape) < 2:
            return jnp.zeros(leaf.shape)
        fan_in = np.prod(leaf.shape[:-1])
        return jnp.asarray(rng.standard_normal(leaf.shape, dtype=np.float32) / np.float32(np.sqrt(fan_in)))

    return model, jax.tree.map(draw, shapes), jnp.asarray(x)


def kernel_function(implementation: str, model: Any) -> KernelFunction:
    """A function that computes the NTK from parameters and samples.

    Its shape is (d·n, d·n), or (d, d, n, n) by neural-tangents.
    """
    if implementation in ("ours", "ours, one triangle"):
        from ntklens.kernel.ntk import ntk_matrix

        return lambda params, x: ntk_matrix(model, params, x, lower=implementation != "ours")
    if implementation == "jacrev":
        return lambda params, x: contracted_jacobian(model, params, x)
    from ntklens.kernel.neural_tangents import import_neural_tangents

    nt = import_neural_tangents()
    kernel_fn = nt.empirical_ntk_fn(
        model.apply, trace_axes=(), vmap_axes=0, implementation=nt.NtkImplementation[implementation]
    )
    return lambda params, x: kernel_fn(x, None, params)


def contracted_jacobian(model: Any, params: Parameters, x: jax.Array) -> jax.Array:
    """J Jᵀ written plainly: `jax.jacrev` for each sample, then one product for each array of parameters."""
    jacobian = jax.vmap(jax.jacrev(lambda p, one: model.apply(p, one[None])[0]), in_axes=(None, 0))(params, x)
    leaves = [leaf.reshape(leaf.shape[0] * leaf.shape[1], -1) for leaf in jax.tree.leaves(jacobian)]
    with jax.default_matmul_precision("highest"):
        return reduce(jnp.add, (leaf @ leaf.T for leaf in leaves))


def memory(key: str) -> int:
    """Resident memory of this process in bytes: now (VmRSS) or at its peak (VmHWM). Linux only."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith(key)))


def main(case: Mapping[str, Any]) -> None:
    model, params, x = network(case)
    jax.block_until_ready(params)
    function = jax.jit(kernel_function(case["implementation"], model))
    compiled = function.lower(params, x).compile()
    # Reset the peak, so that compiling doesn't count.
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    before = memory("VmRSS")
    theta = jax.block_until_ready(compiled(params, x))
    seconds, started = [], time.perf_counter()
    while len(seconds) < 3 or (time.perf_counter() - started < case["seconds"] and len(seconds) < 50):
        begin = time.perf_counter()
        theta = jax.block_until_ready(compiled(params, x))
        seconds.append(time.perf_counter() - begin)
        if seconds[-1] > case["seconds"]:
            break
    theta = np.asarray(theta)
    diagonal = np.einsum("iijj->ij", theta) if theta.ndim == 4 else np.diagonal(theta)
    norm = np.linalg.norm(theta if case["implementation"] != "ours, one triangle" else np.tril(theta))
    print(
        json.dumps(
            {
                "seconds": seconds,
                "peak_bytes": memory("VmHWM") - before,
                "trace": float(np.sum(diagonal, dtype=np.float64)),
                "norm": float(norm),
            }
        )
    )


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
