"""The settings of a job as JSON, as Snakemake passes them to a script and as files record them.

A dataclass or a named tuple becomes an object of its fields, any other tuple a list. A field whose metadata
is `UNLESS_DEFAULT` is left out where it has its default: so a setting can be added, and what does not use it
need not run again. `ntklens.storage.settings_reader` reads them.
"""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from ntklens.storage.defaults import UNLESS_DEFAULT
from ntklens.storage.files import json_sha256


def as_json(settings: Any) -> str:
    """The ``settings`` as one line of JSON."""
    return json.dumps(as_plain(settings))


def settings_sha256(settings: Any) -> str:
    """The hexadecimal SHA-256 digest of ``settings``: the name of what a job makes of them."""
    return json_sha256(as_plain(settings))


def as_plain(value: Any) -> Any:
    """``value`` with dictionaries and lists for its dataclasses and tuples, ready for JSON."""
    if dataclasses.is_dataclass(value):
        fields = [(own, getattr(value, own.name)) for own in dataclasses.fields(value)]
        return {own.name: as_plain(found) for own, found in fields if not _is_left_out(own, found)}
    if hasattr(value, "_asdict"):
        return as_plain(value._asdict())
    if isinstance(value, Mapping):
        return {key: as_plain(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(own) for own in value]
    return value


def _is_left_out(own: dataclasses.Field[Any], value: Any) -> bool:
    return dict(own.metadata) == UNLESS_DEFAULT and value == own.default
