"""Which networks are one to the compiled functions: those of the same types and values throughout."""

from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from hypothesis import given, settings
from hypothesis import strategies as st
from ntklens.kernel.ntk import ntk_trace
from ntklens.kernel.static_model import StaticModel


@dataclass(frozen=True)
class Holding:
    """A network that holds something."""

    held: object

    def apply(self, params, x):
        raise NotImplementedError


def key(held):
    """The static model of a network that holds ``held``."""
    return StaticModel(Holding(held))


class Pair(NamedTuple):
    first: object
    second: object


class OtherPair(NamedTuple):
    first: object
    second: object


@dataclass(frozen=True)
class Record:
    first: object
    second: object


@dataclass(frozen=True)
class OtherRecord(Record):
    pass


@dataclass
class Adjustable:
    """A dataclass with a switch that is no field."""

    model: object
    train = False


class Module(nn.Module):
    first: object
    second: object

    def method(self):
        return self.first


class OtherModule(Module):
    pass


LEAVES = [None, False, 0, 0.0, -0.0, 0j, True, 1, 1.0, float("nan"), "1", b"1", np.float32(1), np.int32(1)]
LEAVES += [jnp.float32, np.dtype("float32"), nn.relu, len, nn.Dense, Record, Ellipsis, range(3)]
OF_TWO = [Pair, OtherPair, Record, OtherRecord, Module, OtherModule]
OF_ANY_NUMBER = [tuple, list, dict]


def recipes():
    """Numbers of leaves, and kinds of containers with what they hold: equal where what they make is."""
    leaves = st.sampled_from(range(len(LEAVES)))

    def containers(parts):
        of_two = st.tuples(st.sampled_from(OF_TWO), st.tuples(parts, parts))
        return of_two | st.tuples(st.sampled_from(OF_ANY_NUMBER), st.lists(parts, max_size=3).map(tuple))

    return st.recursive(leaves, containers, max_leaves=6)


def made(recipe):
    """Anew at every call, but for the leaves."""
    if isinstance(recipe, int):
        return LEAVES[recipe]
    kind, parts = recipe
    parts = [made(part) for part in parts]
    if kind is dict:
        return {f"key {i}": part for i, part in enumerate(parts)}
    return kind(parts) if kind in OF_ANY_NUMBER else kind(*parts)


@settings(max_examples=200, deadline=None)
@given(recipes())
def test_the_same_made_twice_is_equal(recipe):
    one, other = key(made(recipe)), key(made(recipe))
    assert one == other
    assert hash(one) == hash(other)


@settings(max_examples=300, deadline=None)
@given(recipes(), recipes())
def test_equal_where_types_and_values_are(recipe, other):
    assert (key(made(recipe)) == key(made(other))) == (recipe == other)


def test_a_shared_module_is_not_two_equal_ones():
    """Its parameters are shared too."""
    shared = nn.Dense(3)
    assert key(Pair(shared, shared)) == key(Pair(*[nn.Dense(3)] * 2))
    assert key(Pair(shared, shared)) != key(Pair(nn.Dense(3), nn.Dense(3)))


def test_methods_and_partial_functions_are_those_of_equal_objects():
    def bound(first):
        return key(Module(first, second=None).method)

    def called(**options):
        return key(partial(nn.Dense, **options))

    assert bound(1) == bound(1) != bound(True)
    assert called(use_bias=1) == called(use_bias=1) != called(use_bias=True)


def test_dicts_of_another_order_are_others():
    """A network may apply what it holds in that order."""
    one, other = {"a": nn.relu, "b": nn.tanh}, {"b": nn.tanh, "a": nn.relu}
    assert one == other
    assert key(one) != key(other)


def test_sets_have_no_order():
    words = [f"word {i}" for i in range(50)]
    assert key(set(words)) == key({*words[::-1]})
    assert key({1}) != key({True})
    assert key({1}) != key(frozenset({1}))


def test_a_changed_list_is_another():
    model = Pair([3, 4], None)
    before = key(model)
    model.first.append(5)
    assert before != key(model)


def test_what_holds_itself_has_a_key():
    def cyclic(last):
        values = [1, {"of": []}]
        values[1]["of"] = [values, last]
        return key(values)

    assert cyclic(1) == cyclic(1) != cyclic(True)
    assert hash(cyclic(1)) == hash(cyclic(1))


@pytest.mark.parametrize("make", [jnp.ones, bytearray], ids=["array of JAX", "no hash"])
def test_what_has_no_hash_is_compared_by_identity(make):
    value = make(3)
    assert key([value]) == key([value])
    assert key([value]) != key([make(3)])


def test_another_object_never_gets_the_identity_of_a_lost_one():
    keys = {key([bytearray(3)]) for _ in range(100)}
    assert len(keys) == 100


def test_arrays_of_numpy_are_compared_by_content():
    """They may be changed in place."""
    value = np.arange(3)
    before = key({"mean": value})
    assert before == key({"mean": np.arange(3)})
    assert before != key({"mean": np.arange(3, dtype=np.int32)})
    assert before != key({"mean": np.arange(3)[None]})
    value[0] = 7
    assert before != key({"mean": value})


def test_functions_are_compared_by_identity():
    one, other = (lambda x: x for _ in range(2))
    assert key(Pair(one, 1)) == key(Pair(one, 1)) != key(Pair(other, 1))


def test_a_switch_that_is_no_field_counts():
    model = Adjustable(nn.Dense(3))
    before = key(model)
    assert before == key(Adjustable(nn.Dense(3)))
    model.train = True
    assert before != key(model)


class PlainNetwork:
    """A network that is no dataclass."""

    scale = 1.0

    def __init__(self, held=None):
        self.held = held

    def apply(self, params, x):
        return self.scale * self.held.apply(params, x)


class WithSlots(PlainNetwork):
    __slots__ = ("train",)


class WithHash(PlainNetwork):
    def __hash__(self):
        return 3


class WithoutHash(PlainNetwork):
    def __eq__(self, other):
        return self is other

    __hash__ = None


@pytest.mark.parametrize("kind", [PlainNetwork, WithoutHash])
def test_a_changed_attribute_of_a_plain_network_is_another(kind):
    model, around = kind(nn.Dense(3)), PlainNetwork(kind(nn.Dense(3)))
    before, before_around = StaticModel(model), StaticModel(around)
    assert before == StaticModel(kind(nn.Dense(3)))
    assert before_around == StaticModel(PlainNetwork(kind(nn.Dense(3))))
    model.scale = around.held.scale = 3.0
    assert before != StaticModel(model)
    assert before_around != StaticModel(around)


def test_a_plain_network_of_another_class_is_another():
    class Other(PlainNetwork):
        pass

    assert StaticModel(PlainNetwork(1)) != StaticModel(Other(1))


def test_a_plain_network_that_holds_itself_has_a_key():
    model = PlainNetwork()
    model.held = model
    assert StaticModel(model) == StaticModel(model)


@pytest.mark.parametrize("kind", [WithSlots, WithHash])
def test_networks_with_slots_or_a_hash_are_compared_by_identity(kind):
    model = kind(1)
    assert StaticModel(model) == StaticModel(model) != StaticModel(kind(1))


def test_functions_and_python_modules_with_an_apply_are_compared_by_identity():
    def function():
        pass

    function.apply = nn.Dense(3).apply
    for value in (function, ModuleType("network")):
        value.apply = nn.Dense(3).apply
        before = key(value)
        value.other = 1
        assert before == key(value)


def test_the_ntk_of_a_plain_network_follows_its_attributes():
    x = np.ones((2, 3), np.float32)
    model = PlainNetwork(nn.Dense(2))
    params = model.held.init(jax.random.key(0), x)
    before = float(ntk_trace(model, params, x))
    model.scale = 3.0
    assert float(ntk_trace(model, params, x)) == pytest.approx(9 * before)


def test_a_bound_module_has_a_key():
    """It refers to its parent, and that to it."""

    class Outer(nn.Module):
        def setup(self):
            self.inner = nn.Dense(3)

        def __call__(self, x):
            return self.inner(x)

    params = Outer().init(jax.random.key(0), jnp.ones((1, 2)))
    inner = Outer().bind(params).inner
    assert StaticModel(inner) == StaticModel(inner)


def test_other_objects_are_no_static_models():
    assert key(1) != Holding(1)
