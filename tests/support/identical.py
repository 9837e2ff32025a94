"""Check two results of the same program on the same machine for equality in every bit."""

from dataclasses import is_dataclass
from typing import Any

import numpy as np


def assert_identical(found: Any, expected: Any) -> None:
    """Assert equal values and types, within dataclasses, dictionaries, tuples and lists too."""
    if is_dataclass(expected):
        found, expected = vars(found), vars(expected)
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        for name, value in expected.items():
            assert_identical(found[name], value)
    elif isinstance(expected, tuple | list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_identical(one, other)
    else:
        np.testing.assert_array_equal(found, expected, strict=True)
