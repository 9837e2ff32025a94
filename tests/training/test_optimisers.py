import json
from dataclasses import dataclass

import jax.numpy as jnp
import pytest
from ntklens.storage.settings_reader import reader_of
from ntklens.training.optimisers import Adam, Optimiser, Sgd
from ntklens.training.transformations import transformation


@dataclass(frozen=True)
class Chosen:
    optimiser: Optimiser


def after(optimiser, gradients, learning_rate=0.1):
    """Where ``gradients`` lead, one after the other, from 1."""
    rule, place = transformation(optimiser, learning_rate), jnp.array(1.0)
    state = rule.init(place)
    for gradient in gradients:
        update, state = rule.update(jnp.array(gradient), state, place)
        place += update
    return float(place)


def test_settings_choose_the_optimiser_and_its_constants():
    read = reader_of(Chosen)
    adam = {"name": "adam", "b1": 0.9, "b2": 0.99, "eps": 1e-7}
    assert read(json.dumps({"optimiser": adam})).optimiser == Adam(b1=0.9, b2=0.99, eps=1e-7)
    assert read(json.dumps({"optimiser": {"name": "sgd", "momentum": 0.5}})).optimiser == Sgd(momentum=0.5)


def test_unknown_constant_raises():
    sgd = {"name": "sgd", "momentum": 0.5, "nesterov": True}
    with pytest.raises(ValueError, match="nesterov"):
        reader_of(Chosen)(json.dumps({"optimiser": sgd}))


def test_adams_first_step_is_the_rate_whatever_the_gradient():
    """But for eps, which is added to its size: g / (g + eps)."""
    for gradient in (1e-3, 50.0):
        assert after(Adam(0.9, 0.999, 1e-8), [gradient]) == pytest.approx(0.9, rel=1e-5)
    assert after(Adam(0.9, 0.999, 1.0), [1.0]) == pytest.approx(1 - 0.1 / 2)


def test_sgd_without_momentum_follows_the_gradient():
    assert after(Sgd(0.0), [2.0, 3.0]) == pytest.approx(1 - 0.1 * 2 - 0.1 * 3)


def test_momentum_goes_on_with_the_share_of_the_last_step():
    assert after(Sgd(0.5), [2.0, 3.0]) == pytest.approx(1 - 0.1 * 2 - 0.1 * (0.5 * 2 + 3))
