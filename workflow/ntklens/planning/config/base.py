"""Shared by the config's models: the frozen `Section`, types of keys, and `key`, which describes a key."""

import math
import re
import reprlib
from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

Item = TypeVar("Item")

LONGEST_NAME = 100  # characters: names become parts of file names, which file systems limit to 255 bytes
# Larger counts are typing errors. Costs are products of several counts, and must be finite as floats.
LARGEST_COUNT = 10**9
# Planning lists the epochs of every job at which something is measured: a million takes a second.
MOST_EPOCHS = 10**6
MOST_SEEDS = 100_000  # planning lists the batches of seeds of every point
MOST_LAYERS = 1000  # planning lists the layers of every network
LONGEST_PATH = 4096  # bytes: longer ones no file system takes
NAME = "[A-Za-z0-9][A-Za-z0-9_-]*"
STUDY_NAME = "[A-Za-z][A-Za-z0-9_-]*"  # becomes part of the name of a rule
# Training is in float32, where numbers beyond these make all updates zero, infinite or undefined.
LEAST_RATE, LARGEST_RATE = 1e-12, 1e6
LARGEST_DECAY = 0.999999
# PyYAML follows YAML 1.1, where a number needs a point: it reads 1e-3 as a string.
_NUMBER = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?", re.ASCII)


class Section(BaseModel):
    """A part of the config whose keys are the fields of the model."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _has_plain_keys(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            for name in data:
                _require_string(name, "key")
        return data


class Follows(NamedTuple):
    """A default that other keys give: the ``rule`` takes the keys before it in its section."""

    rule: Callable[[Mapping[str, Any]], Any]
    words: str  # the rule for a reader


def key(
    default: Any,
    description: str,
    *,
    unit: str = "",
    stated: bool = True,
    axis: str | None = None,
    **constraints: Any,
) -> Any:
    """A field: its ``default`` (... for a required key, or a `Follows`), what it means, and its limits.

    ``stated`` is false for a choice of ours that the paper does not state. ``axis`` names the only axis on
    which the key has an effect.
    """
    follows = default if isinstance(default, Follows) else None
    extra = {
        "unit": unit,
        "axis": axis,
        "follows": follows and follows.words,
        "not stated in the paper": None if stated else True,
    }
    extra = {name: value for name, value in extra.items() if value}
    if follows:
        return Field(
            default_factory=follows.rule, description=description, json_schema_extra=extra, **constraints
        )
    return Field(default, description=description, json_schema_extra=extra, **constraints)


def section(kind: type[Section], description: str) -> Any:
    """A field whose default is a ``kind`` with all its defaults."""
    return Field(default_factory=kind, description=description)


def refused(text: str) -> PydanticCustomError:
    """An error whose ``text`` follows the key: "is 3, but" goes before a text that begins with "must"."""
    return PydanticCustomError("refused", "{text}", {"text": text})


def _require_string(name: Any, what: str) -> None:
    if not isinstance(name, str):
        raise refused(
            f"has the {what} {shortened(name)}, which YAML does not read as a string: put it in quotes"
        )
    if not name.isprintable():
        raise refused(f"has the {what} {shortened(name)}, which holds a character that cannot be printed")


def shortened(value: Any, most: int = 80) -> str:
    """``value`` on one line of at most ``most`` characters."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, date):
        return str(value)
    try:
        text = " ".join(_SHORT.repr(value).split())
    except ValueError:  # Python refuses to write integers of more than 4300 digits
        return "a number of thousands of digits"
    return text if len(text) <= most else f"{text[: most - 2]} …"


def _short_representation() -> reprlib.Repr:
    """Python's representation, cut early: aliases in YAML can make a short text stand for a giant value."""
    short = reprlib.Repr()
    short.maxlist = short.maxtuple = short.maxdict = 40
    short.maxstring = short.maxlong = short.maxother = 200
    short.maxlevel = 3
    return short


_SHORT = _short_representation()


def is_name(pattern: str, text: str) -> bool:
    """Whether ``text`` is short enough for a name and matches ``pattern`` as a whole."""
    return len(text) <= LONGEST_NAME and re.fullmatch(pattern, text) is not None


def names_checked(pattern: str, what: str) -> Callable[[Any], Any]:
    """A function that refuses a mapping if one of its keys, the name of a ``what``, breaks ``pattern``."""

    def check(data: Any) -> Any:
        if isinstance(data, Mapping):
            for name in data:
                _require_string(name, f"{what} name")
                if not is_name(pattern, name):
                    raise refused(
                        f"has the {what} name {shortened(name)}; allowed is {rule_for_names(pattern)}"
                    )
        return data

    return check


def rule_for_names(pattern: str) -> str:
    """The rule for names that match ``pattern``, in words."""
    first = "a letter" if pattern == STUDY_NAME else "a letter or a digit"
    return (
        f"a name of at most {LONGEST_NAME} letters, digits, hyphens and underscores that begins with {first}"
    )


def _as_name(text: str) -> str:
    if not is_name(NAME, text):
        raise refused(f"must be {rule_for_names(NAME)}")
    return text


def _as_path(text: str) -> str:
    if not text:
        raise refused("must not be empty")
    if not text.isprintable():
        raise refused("must not hold characters that cannot be printed")
    if len(text.encode()) > LONGEST_PATH:
        raise refused(f"must be at most {LONGEST_PATH} bytes long")
    return text


def _as_file(text: str) -> str:
    """The path of a file that is an input of rules, where Snakemake takes braces for a wildcard."""
    if "{" in text or "}" in text:
        raise refused("must not hold braces, which Snakemake takes for a wildcard: rename the file or folder")
    return _as_path(text)


def _as_number(value: Any) -> float:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if type(value) not in (int, float):
        raise refused("must be a number")
    try:
        number = float(value)
    except OverflowError:  # an integer of more than 308 digits
        number = math.inf
    if not math.isfinite(number):
        raise refused("must be a finite number")
    return number


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _as_paths(value: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    if not isinstance(value, str | list):
        raise refused("must be a path or a list of paths")
    return (value,) if isinstance(value, str) else tuple(value)


def _without_repetition(items: tuple[Item, ...]) -> tuple[Item, ...]:
    seen: set[Item] = set()
    for item in items:
        if item in seen:
            raise refused(f"must not repeat an item, but {shortened(item)} is repeated")
        seen.add(item)
    return items


Count = Annotated[int, Field(ge=1, le=LARGEST_COUNT)]
Whole = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]
Seeds = Annotated[int, Field(ge=1, le=MOST_SEEDS)]
Epochs = Annotated[int, Field(ge=1, le=MOST_EPOCHS)]
Layers = Annotated[int, Field(ge=1, le=MOST_LAYERS)]
Number = Annotated[float, BeforeValidator(_as_number)]
Rate = Annotated[Number, Field(ge=LEAST_RATE, le=LARGEST_RATE)]
Decay = Annotated[Number, Field(ge=0, le=LARGEST_DECAY)]
Sigma = Annotated[Number, Field(ge=0, le=1000)]
Name = Annotated[str, AfterValidator(_as_name), Field(json_schema_extra={"pattern": f"^{NAME}$"})]
_PATH = {"type": "string", "minLength": 1}
_PATHS = {"type": "array", "items": _PATH, "uniqueItems": True}
PathName = Annotated[str, AfterValidator(_as_path), Field(json_schema_extra={"minLength": 1})]
InputFile = Annotated[str, AfterValidator(_as_file), Field(json_schema_extra={"minLength": 1})]

# Lists become tuples. Checking stops at the first item that is wrong: there may be a hundred thousand.
Several = Annotated[tuple[Item, ...], Field(min_length=1, fail_fast=True), BeforeValidator(_as_tuple)]
_Unique = AfterValidator(_without_repetition)
_UniqueItems = Field(json_schema_extra={"uniqueItems": True})
Names = Annotated[Several[str], _Unique, _UniqueItems]
Scales = Annotated[Several[Count], _Unique, _UniqueItems]
ScalesFromZero = Annotated[Several[Whole], _Unique, _UniqueItems]
Percentages = Annotated[Several[Annotated[int, Field(ge=0, lt=100)]], _Unique, _UniqueItems]
Paths = Annotated[
    tuple[InputFile, ...],
    Field(fail_fast=True),
    BeforeValidator(_as_paths),
    _Unique,
    WithJsonSchema({"anyOf": [_PATH, _PATHS, {"type": "null"}]}),
]
EpochList = Annotated[Several[Annotated[int, Field(ge=0, le=MOST_EPOCHS)]], _Unique, _UniqueItems]
Anchors = Annotated[
    tuple[Count, ...], Field(fail_fast=True), BeforeValidator(_as_tuple), _Unique, _UniqueItems
]
