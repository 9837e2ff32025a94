"""The settings of a job as JSON: what Snakemake hands a script, and what files keep of it."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any, TypeVar

import cattrs

Settings = TypeVar("Settings")

_CONVERTER = cattrs.Converter(forbid_extra_keys=True)


def as_json(settings: Any) -> str:
    """The frozen dataclass ``settings`` as one line of JSON."""
    return json.dumps(dataclasses.asdict(settings))


def reader_of(kind: type[Settings]) -> Callable[[str], Settings]:
    """A function that reads a ``kind`` from JSON. It raises ValueError where keys or values do not fit."""

    def read(text: str) -> Settings:
        try:
            return _CONVERTER.structure(json.loads(text), kind)
        except cattrs.errors.BaseValidationError as error:
            raise ValueError("; ".join(cattrs.transform_error(error))) from None

    return read
