"""Messages about a config that cannot be used: the first problem in one line, in the words of the config."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from ntklens.planning.config.base import shortened

Location = tuple[int | str, ...]
MOST_UNKNOWN = 3  # unknown keys that one message names

# Type of pydantic's error -> the rule that the value breaks; braces hold numbers of the error's context.
RULES = {
    "int_type": "must be an integer",
    "string_type": "must be a string",
    "string_unicode": "must be a string of valid characters",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping of names to values",
    "mapping_type": "must be a mapping of names to values",
    "model_type": "must be a mapping of keys to values",
    "literal_error": "must be {expected}",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:.15g}",
    "too_short": "must have at least {min_length} item",
}


class ConfigError(Exception):
    """A config that cannot be used. The message names the key and says what is allowed."""


class Place(NamedTuple):
    """The model and the field that belong to one location in a config."""

    model: type[BaseModel] | None  # of the section there, or of the sections in the list there
    field: FieldInfo | None  # the innermost field on the way


def explain(model: type[BaseModel], content: Any, error: ValidationError) -> str:
    """One line about the first problem, in the order of the keys in ``content``."""
    problems = error.errors(include_url=False)
    locations = [tuple(problem["loc"]) for problem in problems]
    # pydantic also reports a list as too short if one of its items is wrong.
    outer = {location[:size] for location in locations for size in range(len(location))}
    inner = [index for index, location in enumerate(locations) if location not in outer] or [0]
    first = min(inner, key=lambda index: _position(content, locations[index]))
    problem, location = problems[first], locations[first]
    if problem["type"] not in ("extra_forbidden", "missing"):
        return _about_value(model, content, location, problem)
    same = [
        own[-1]
        for own, other in zip(locations, problems, strict=True)
        if other["type"] == problem["type"] and own[:-1] == location[:-1]
    ]
    about = _about_unknown if problem["type"] == "extra_forbidden" else _about_missing
    return about(model, location[:-1], same)


def require(condition: bool, key: str, message: str) -> None:
    """Raise ConfigError with a ``message`` on ``key`` unless ``condition`` holds."""
    if not condition:
        raise ConfigError(f"config key '{key}': {message}")


def dotted(location: Sequence[int | str]) -> str:
    """("a", 0, "b") as messages write it: a[0].b."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")


def _named(location: Location) -> str:
    return f"config key '{dotted(location)}'" if location else "the config"


def _position(content: Any, location: Location) -> list[int]:
    """Where a location stands in ``content``; a key that is missing there comes after all others."""
    position = []
    for part in location:
        if isinstance(content, Mapping):
            names = list(content)
            position.append(names.index(part) if part in names else len(names))
            content = content.get(part)
        else:
            position.append(part if isinstance(part, int) else 0)
            content = content[part] if isinstance(content, list | tuple) and isinstance(part, int) else None
    return position


def _about_unknown(model: type[BaseModel], location: Location, unknown: list[int | str]) -> str:
    section = place_of(model, location).model or model
    names = [shortened(name, 40) for name in unknown[:MOST_UNKNOWN]]
    more = f" and {len(unknown) - MOST_UNKNOWN} more" if len(unknown) > MOST_UNKNOWN else ""
    allowed = ", ".join(sorted(keys_of(section)))
    message = f"{_named(location)} has the unknown key {', '.join(names)}{more}; allowed are {allowed}"
    elsewhere = [
        f"{name!r} is a key of {', '.join(found)}"
        for name in unknown[:MOST_UNKNOWN]
        if (found := [path for path, own in sections(model) if path and name in keys_of(own)])
    ]
    return ". ".join([message, *elsewhere])


def _about_missing(model: type[BaseModel], location: Location, missing: list[int | str]) -> str:
    section = place_of(model, location).model or model
    about = f". {section.__doc__}" if "axis" in missing else ""
    return f"{_named(location)} lacks the key {', '.join(map(str, missing))}{about}"


def _about_value(model: type[BaseModel], content: Any, location: Location, problem: Any) -> str:
    location = _as_given(content, location)
    kind, context, value = problem["type"], problem.get("ctx", {}), _value_at(content, location)
    field = place_of(model, location).field
    meaning = (field.description or "" if field else "").replace("\n", " ")
    if not location and value is None:
        return "the config is empty: it needs at least a name and studies"
    if value is None and kind in ("dict_type", "mapping_type", "model_type", "tuple_type"):
        below = "list its items" if kind == "tuple_type" else "write its keys below it"
        instead = "" if field and field.is_required() else ", or leave the key out"
        return f"{_named(location)} is empty: {below}{instead}. {meaning}".rstrip()
    rule = RULES.get(kind, "must be something else")
    rule = context["text"] if kind == "refused" else rule.format(**context)
    if kind == "literal_error":
        rule = re.sub(r"'([\w-]+)'", r"\1", rule).replace(", ", " or ")
    if rule.startswith("has "):
        return f"{_named(location)} {rule}"
    if not rule.startswith("must "):
        return f"{_named(location)}: {rule}"
    if field and type(None) in get_args(field.annotation) and kind.endswith("_type"):
        rule += " or null"
    return f"{_named(location)} is {shortened(value)}, but {rule}. {meaning}".rstrip()


def _as_given(content: Any, location: Location) -> Location:
    """``location`` without the index of an item that ``content`` gives as a string in the place of a list."""
    outer = location[:-1]
    return outer if location and isinstance(_value_at(content, outer), str) else location


def _value_at(content: Any, location: Location) -> Any:
    for part in location:
        content = content[part]
    return content


def place_of(model: type[BaseModel], location: Location) -> Place:
    """What the models say about ``location``, a path from ``model``."""
    place = Place(model, None)
    for part in location:
        if isinstance(part, int) or place.model is None:
            continue  # an item of a list
        field = fields_by_key(place.model).get(part)
        if field is not None:
            place = Place(model_in(field.annotation), field)
        elif place.model.model_config.get("extra") == "allow":
            place = Place(model_in(place.model.__annotations__["__pydantic_extra__"]), None)
    return place


def fields_by_key(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of ``model`` by the names that the config has for them."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys that the section has in a config."""
    return list(fields_by_key(model))


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model inside an annotation such as ``Mapping[str, Network]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := model_in(inner))), None)


def sections(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Every section below ``model``, with its place: `ensemble`, `networks.…`, `studies.data-scaling[…]`."""
    yield path, model
    for name, field in fields_by_key(model).items():
        yield from _below(field.annotation, f"{path}.{name}".lstrip("."))
    if model.model_config.get("extra") == "allow":
        yield from _below(model.__annotations__["__pydantic_extra__"], path)


def _below(annotation: Any, path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from sections(annotation, path)
        return
    marks = {tuple: "[…]", dict: ".…", Mapping: ".…"}
    path += marks.get(get_origin(annotation), "")
    for inner in get_args(annotation):
        yield from _below(inner, path)
