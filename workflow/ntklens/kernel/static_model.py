"""Make a network a static argument of compiled functions: hashable, whatever it holds.

Equality of Python values does not tell whether two networks may share a compiled program or a check:
NamedTuples of different classes are equal, and so are 1, 1.0 and True. Two `StaticModel`s are equal if they
have the same structure, of the same types, down to equal values. So a network that is built anew for each
call reuses one compiled program.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import partial
from itertools import count
from types import MethodType
from typing import Any, cast

import numpy as np
from flax import linen as nn

from ntklens.kernel.network import Network, Params, Samples


class StaticModel:
    """A network with a key by which it is hashed and compared; the key is computed once.

    A network's content are its attributes, and those of networks that it holds. JAX arrays and all other
    objects whose content cannot be read are compared by identity: a network must not change them in place.
    """

    def __init__(self, model: Network) -> None:
        self._model, self._key = model, _key(model, {}, count())
        self._hash = hash(self._key)

    def apply(self, params: Params, x: Samples) -> Any:
        """The outputs of the network."""
        return self._model.apply(params, x)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StaticModel) and self._key == other._key

    def __hash__(self) -> int:
        return self._hash


def _key(value: object, met: dict[int, int], numbers: Iterator[int]) -> Hashable:
    """The types and values of ``value``. ``met`` maps the ids of the objects around it to their numbers."""
    if id(value) in met:
        return "again", met[id(value)]
    parts = _parts(value)
    if parts is None:
        return type(value), _leaf(value)
    met[id(value)] = next(numbers)
    keys = [_key(part, met, numbers) for part in parts]
    # A module in two places shares its parameters, two equal modules do not: modules stay in ``met``.
    if not isinstance(value, nn.Module):
        del met[id(value)]
    return type(value), frozenset(keys) if isinstance(value, set | frozenset) else tuple(keys)


def _parts(value: object) -> list[Any] | None:
    """The parts of ``value``, or None if it is compared as a whole."""
    if isinstance(value, Mapping):
        # The order matters: a network may iterate over the items.
        return list(cast("Mapping[Any, Any]", value).items())
    if isinstance(value, tuple | list | set | frozenset):
        return list(cast("Iterable[Any]", value))
    if isinstance(value, partial):
        called = cast("partial[Any]", value)
        return [called.func, called.args, called.keywords]
    if isinstance(value, MethodType):
        return [value.__func__, value.__self__]
    if is_dataclass(value) and not isinstance(value, type):
        return _attributes(value)
    if _is_plain_network(value):
        return list(vars(value).items())
    return None


class _Plain:
    """Its size is that of any class whose instances hold attributes alone: no slots, nothing written in C."""


def _is_plain_network(value: object) -> bool:
    """Whether ``value`` is a network, of a class of the user's, whose attributes are all that it holds.

    Other objects with attributes are not looked into: they may lead to anything, and change as they are used.
    """
    own = type(value)
    without_hash = own.__hash__ in (object.__hash__, None)  # a class with a hash says itself what is equal
    only_attributes = hasattr(value, "__dict__") and own.__basicsize__ == _Plain.__basicsize__
    return without_hash and only_attributes and isinstance(value, Network)


def _attributes(value: Any) -> list[tuple[str, Any]]:
    """Names and values of the attributes of a dataclass's instance."""
    own = {field.name: getattr(value, field.name, MISSING) for field in fields(value)}
    # A Flax module's other attributes belong to Flax; another object's may be switches that its apply reads.
    return list((own if isinstance(value, nn.Module) else own | getattr(value, "__dict__", {})).items())


def _leaf(value: object) -> Hashable:
    """A key for a value that has no parts."""
    if isinstance(value, float | complex | np.generic):
        return repr(cast(object, value))  # distinguishes 0.0 from -0.0, but not one NaN from another
    if type(value) is np.ndarray and not value.dtype.hasobject:
        return value.dtype, value.shape, value.tobytes()
    try:
        hash(value)
    except TypeError:
        return _Identity(value)
    return value


class _Identity:
    """A key equal only to that of the same object, which it keeps alive: no other object gets its id."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and self._value is other._value

    def __hash__(self) -> int:
        return id(self._value)
