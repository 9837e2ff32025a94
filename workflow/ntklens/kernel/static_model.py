"""A network as a static argument of compiled functions: hashable whatever it holds.

Equality of Python values is no guide to whether one network's program, or its check, holds for another:
NamedTuples of different classes are equal, and so are 1, 1.0 and True. A `StaticModel` equals another
where the two have the same structure, of the same types, down to values that are equal: such networks,
made anew each time, share one compiled program.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import partial
from itertools import count
from types import MethodType

import numpy as np
from flax import linen as nn


class StaticModel:
    """``model`` with a key that it is hashed and compared by, taken once.

    Arrays of JAX, and objects that say nothing of their content, are compared by identity: a network
    must not change them in place.
    """

    def __init__(self, model):
        self._model, self._key = model, _key(model, {}, count())
        self._hash = hash(self._key)

    def apply(self, params, x):
        return self._model.apply(params, x)

    def __eq__(self, other):
        return isinstance(other, StaticModel) and self._key == other._key

    def __hash__(self):
        return self._hash


def _key(value, met, numbers):
    """The types and values of ``value``; ``met`` has the numbers of what it lies in, by identity."""
    if id(value) in met:
        return "again", met[id(value)]
    parts = _parts(value)
    if parts is None:
        return type(value), _leaf(value)
    met[id(value)] = next(numbers)
    keys = [_key(part, met, numbers) for part in parts]
    # A module in two places shares its parameters, two equal ones do not: modules stay among the met.
    if not isinstance(value, nn.Module):
        del met[id(value)]
    return type(value), (frozenset if isinstance(value, set | frozenset) else tuple)(keys)


def _parts(value):
    """What ``value`` is made of; None for what is compared as a whole."""
    if isinstance(value, Mapping):
        return list(value.items())  # in their order: a network may go through them in it
    if isinstance(value, tuple | list | set | frozenset):
        return list(value)
    if isinstance(value, partial):
        return [value.func, value.args, value.keywords]
    if isinstance(value, MethodType):
        return [value.__func__, value.__self__]
    if is_dataclass(value) and not isinstance(value, type):
        return _attributes(value)
    return None


def _attributes(value):
    own = {field.name: getattr(value, field.name, MISSING) for field in fields(value)}
    # A Flax module's other attributes are Flax's own; another object's may be switches of its apply.
    return list((own if isinstance(value, nn.Module) else own | getattr(value, "__dict__", {})).items())


def _leaf(value):
    if isinstance(value, float | complex | np.generic):
        return repr(value)  # tells 0.0 from -0.0, and a NaN is like another
    if type(value) is np.ndarray and not value.dtype.hasobject:
        return value.dtype, value.shape, value.tobytes()
    try:
        hash(value)
    except TypeError:
        return _Identity(value)
    return value


class _Identity:
    """Equal to one of the same object alone, which it keeps alive: another would get its id."""

    def __init__(self, value):
        self._value = value

    def __eq__(self, other):
        return isinstance(other, _Identity) and self._value is other._value

    def __hash__(self):
        return id(self._value)
