"""Reads the settings of a job from JSON.

Reading is strict: every field without a default has to be there, no other key may be, and no value is
converted to another type except an integer where a float is expected.
"""

import dataclasses
import json
from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Any, TypeVar, get_args, get_type_hints

import cattrs

Settings = TypeVar("Settings")


class SettingsError(ArgumentTypeError, ValueError):
    """Text that does not hold the expected settings. The message names the keys; argparse prints it."""


def reader_of(kind: type[Settings]) -> Callable[[str], Settings]:
    """A function that reads a ``kind`` from JSON. It raises SettingsError where keys or values do not fit."""
    converter = cattrs.Converter(forbid_extra_keys=True)
    for name, accepted in {bool: bool, int: int, str: str, float: (float, int)}.items():
        converter.register_structure_hook(name, _strict_reader(accepted))
    converter.register_structure_hook_factory(_is_named_tuple, _named_tuple_reader)

    def read(text: str) -> Settings:
        try:
            content = json.loads(text)
        except ValueError as error:  # also of a number with thousands of digits
            raise SettingsError(f"settings are not JSON: {error}") from None
        if not isinstance(content, dict):
            raise SettingsError(f"settings must be an object, not {text}")
        try:
            return converter.structure(content, kind)
        except cattrs.BaseValidationError as error:
            reasons = cattrs.transform_error(error, "settings", _explained)
            raise SettingsError("; ".join(reasons)) from None

    return read


def _explained(error: BaseException, expected: Any) -> str:
    """What is wrong with the value of one key, which should have the type ``expected``."""
    if unknown := getattr(error, "extra_fields", None):
        return f"unknown key {', '.join(sorted(unknown))}"
    # Where one of several dataclasses is expected, a key error says that none of them fits.
    if isinstance(error, KeyError) and sum(map(dataclasses.is_dataclass, get_args(expected))) < 2:
        return "missing key"
    return f"not of type {expected.__name__ if isinstance(expected, type) else expected}"


def _strict_reader(accepted: type | tuple[type, ...]) -> Callable[[Any, type], Any]:
    def read(value: Any, kind: type) -> Any:
        # bool is a subclass of int.
        if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
            raise TypeError(f"{value!r} is not of type {kind.__name__}")
        return kind(value)

    return read


def _is_named_tuple(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")


def _named_tuple_reader(kind: Any, converter: Any) -> Callable[[Any, type], Any]:
    """Reads the named tuple ``kind`` as cattrs reads a dataclass of the same fields."""
    fields = dataclasses.make_dataclass(kind.__name__, get_type_hints(kind).items())
    return lambda value, _: kind(**vars(converter.structure(value, fields)))
