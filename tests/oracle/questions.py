"""The questions for neural-tangents: networks with parameters and samples, and limits of infinite width."""

import json
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import jax
import numpy as np
import optax
from flax import linen as nn
from flax.traverse_util import flatten_dict
from jaxtyping import Array, Float
from sklearn.datasets import load_digits

from tests.support.architectures import ARCHITECTURES, DIGITS

DTYPES = ("float32", "float64")


class Question(NamedTuple):
    """A network by its name, with parameters and samples in float64."""

    network: str
    params: dict[str, Any]
    x: Float[np.ndarray, "d ..."]

    @property
    def model(self) -> nn.Module:
        """The network."""
        return {**ARCHITECTURES, **DIGITS}[self.network].model

    def arrays(self, dtype: str) -> tuple[dict[str, Any], Float[np.ndarray, "d ..."]]:
        """Parameters and samples in the precision ``dtype``."""
        return jax.tree.map(lambda a: a.astype(dtype), self.params), self.x.astype(dtype)


def network_questions() -> dict[str, Question]:
    """A question for every architecture, and for the networks of digits before and after training."""
    questions = {name: at_random(name) for name in ARCHITECTURES}
    for name in DIGITS:
        questions[f"{name}-initial"], questions[f"{name}-trained"] = trained(name)
    return questions


def at_random(name: str, samples: int = 4) -> Question:
    """A network with normal parameters, even its biases and scales, which are 0 and 1 at initialisation."""
    model, shape = ARCHITECTURES[name]
    rng = np.random.default_rng(0)
    x = rng.standard_normal((samples, *shape))
    shapes = jax.eval_shape(model.init, jax.random.key(0), np.float32(x))
    return Question(name, jax.tree.map(lambda leaf: 0.4 * rng.standard_normal(leaf.shape), shapes), x)


def trained(name: str, steps: int = 30) -> list[Question]:
    """A network before and after ``steps`` updates, with digits that it was not trained on."""
    model, shape = DIGITS[name]
    images, labels = load_digits(return_X_y=True)
    images = np.float32(images / 16).reshape(-1, *shape)
    adam = optax.adam(0.01)

    def loss(params: dict[str, Any]) -> Float[Array, ""]:
        outputs = model.apply(params, images[:100])
        return optax.softmax_cross_entropy_with_integer_labels(outputs, labels[:100]).mean()

    @jax.jit
    def update(params: dict[str, Any], state: optax.OptState) -> tuple[dict[str, Any], optax.OptState]:
        updates, state = adam.update(jax.grad(loss)(params), state)
        return optax.apply_updates(params, updates), state

    initial = params = jax.jit(model.init)(jax.random.key(0), images[:1])
    state = adam.init(params)
    for _ in range(steps):
        params, state = update(params, state)
    assert loss(params) < loss(initial) / 2, "training did not lower the loss"
    x = np.float64(images[100:106])
    return [Question(name, jax.tree.map(np.float64, tree), x) for tree in (initial, params)]


# By name: the hidden layers' widths, and the arguments of neural-tangents' Dense for every layer.
LIMITS = {
    f"limit {parametrisation} {len(widths)} {weights} {biases}": {
        "widths": widths,
        "layer": {"W_std": weights, "b_std": biases, "parameterization": parametrisation},
    }
    for parametrisation, widths, (weights, biases) in product(
        ("standard", "ntk"), ([], [64], [30, 50], [8, 16, 4, 32, 9]), ((1.0, None), (1.0, 0.0), (1.4, 0.3))
    )
}


def limit_samples() -> Float[np.ndarray, "d inputs"]:
    """Random samples, and among them a copy of one and a negative multiple of another."""
    x = np.random.default_rng(0).standard_normal((6, 5))
    x[4], x[5] = x[1], -2 * x[0]
    return x


def write_questions(path: Path, networks: dict[str, Question]) -> None:
    """Write every network in every precision, as `"{name} {dtype}"`, and every limit."""
    with h5py.File(path, "w") as file:
        for name, question in networks.items():
            for dtype in DTYPES:
                params, x = question.arrays(dtype)
                group = file.create_group(f"{name} {dtype}")
                group.attrs["network"] = question.network
                group["x"] = x
                for place, value in flatten_dict(params, sep="/").items():
                    group[f"parameters/{place}"] = value
        for name, settings in LIMITS.items():
            group = file.create_group(name)
            group.attrs["limit"] = json.dumps(settings)
            group["x"] = limit_samples()
