"""One way of computing one NTK, timed: the process that ntk_matrix.py starts, in either environment.

    python ntk_case.py '{"implementation": "ours", "layers": 3, "width": 64, ...}'

prints a JSON object: seconds of each call after the first, bytes beyond what parameters and samples
take at the peak, Frobenius norm and trace. Works with JAX 0.4.25, in neural-tangents' environment, too.
"""

import json
import os
import sys
import time
from pathlib import Path

# One thread. The second flag is the older JAX's.
os.environ["NPROC"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp
import numpy as np

from tests.support.architectures import Mlp, PaperConvolutions


def network(case):
    """A model, its parameters drawn as LeCun initialisation does, and samples."""
    rng = np.random.default_rng(0)
    if case["network"] == "dense":
        model, shape = Mlp(case["layers"] * (case["width"],), case["outputs"]), (784,)
    else:
        model, shape = PaperConvolutions(case["outputs"]), (32, 32, 3)
    x = rng.random((case["samples"], *shape), dtype=np.float32)
    shapes = jax.eval_shape(model.init, jax.random.key(0), x)

    def draw(leaf):
        if len(leaf.shape) < 2:
            return jnp.zeros(leaf.shape)
        fan_in = np.prod(leaf.shape[:-1])
        return jnp.asarray(rng.standard_normal(leaf.shape, dtype=np.float32) / np.float32(np.sqrt(fan_in)))

    return model, jax.tree.map(draw, shapes), jnp.asarray(x)


def kernel_function(implementation, model):
    """A function of parameters and samples, to be compiled: the NTK (d·n, d·n) or NT's (d, d, n, n)."""
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


def contracted_jacobian(model, params, x):
    """J Jᵀ as one would write it: `jax.jacrev` a sample, then a product for each parameter."""
    jacobian = jax.vmap(jax.jacrev(lambda p, one: model.apply(p, one[None])[0]), in_axes=(None, 0))(params, x)
    leaves = [leaf.reshape(leaf.shape[0] * leaf.shape[1], -1) for leaf in jax.tree.leaves(jacobian)]
    with jax.default_matmul_precision("highest"):
        return sum(leaf @ leaf.T for leaf in leaves)


def memory(key):
    """Bytes of resident memory of this process: now (VmRSS), or at its peak (VmHWM). Linux."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith(key)))


def main(case):
    model, params, x = network(case)
    jax.block_until_ready(params)
    function = jax.jit(kernel_function(case["implementation"], model))
    compiled = function.lower(params, x).compile()
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far, of compiling, is forgotten
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
