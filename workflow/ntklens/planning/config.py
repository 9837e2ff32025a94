"""The configuration: checked against its schema and against sense, completed by the defaults."""

import copy
import math
from pathlib import Path

import jsonschema
import jsonschema.exceptions
import jsonschema.validators
import yaml

from ntklens.planning.consistency import ConfigError, check_consistency
from ntklens.studies.catalogue import PAPERS_RECIPE

SCHEMA = Path(__file__).parents[2] / "schemas" / "config.schema.yaml"

# JSON counts 16.0 as an integer and YAML can write a number that is not finite.
_Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda _, value: type(value) is int,
            "number": lambda _, value: type(value) in (int, float) and math.isfinite(value),
        }
    ),
)


def complete(config):
    """A copy of ``config`` with the schema's defaults filled in. Raises ConfigError if invalid."""
    schema = yaml.safe_load(SCHEMA.read_text())
    config = copy.deepcopy(dict(config))
    error = jsonschema.exceptions.best_match(_Validator(schema).iter_errors(config))
    if error:
        raise ConfigError(_explain(error, schema))
    config["recipes"] = {PAPERS_RECIPE: {}, **config.get("recipes", {})}
    _fill_defaults(schema, config, schema["$defs"])
    check_consistency(config)
    return config


def _explain(error, schema):
    """One line: which key, what is wrong, what is allowed."""
    key = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path
    ).lstrip(".")
    place = f"config key '{key}'" if key else "the config"
    limit = error.validator_value
    if error.validator == "additionalProperties":
        allowed = sorted(error.schema["properties"])
        unknown = [name for name in error.instance if name not in allowed]
        message = (
            f"{place} has the unknown key {', '.join(map(repr, unknown))}; allowed are {', '.join(allowed)}"
        )
        elsewhere = [
            f"{name!r} is a key of {', '.join(found)}"
            for name in unknown
            if (found := _sections(schema, name))
        ]
        return ". ".join([message, *elsewhere])
    if error.validator == "required":
        missing = ", ".join(name for name in limit if name not in error.instance)
        about = f". {error.schema['description']}" if "axis" in limit else ""
        return f"{place} lacks the key {missing}{about}"
    rules = {
        "type": "must be of type {limit}",
        "minimum": "must be at least {limit}",
        "exclusiveMinimum": "must be more than {limit}",
        "exclusiveMaximum": "must be less than {limit}",
        "minItems": "must list at least {limit} item",
        "minProperties": "must have at least {limit} entry",
        "uniqueItems": "must not repeat an item",
        "pattern": "must match {limit}",
        "enum": "must be {limit}",
        "minLength": "must not be empty",
    }
    if isinstance(limit, list):
        limit = " or ".join(map(str, limit))
    rule = rules[error.validator].format(limit=limit)
    meaning = error.schema.get("description", "")
    return f"{place} is {error.instance!r}, but {rule}. {meaning}".rstrip()


def _sections(schema, key, path=""):
    """Where the schema has ``key``, as dotted paths; what it has at the top needs no telling."""
    found = [path] if path and key in schema.get("properties", {}) else []
    for name, part in schema.get("properties", {}).items():
        found += _sections(part, key, f"{path}.{name}".lstrip("."))
    if "items" in schema:
        found += _sections(schema["items"], key, f"{path}[…]")
    return found


def _fill_defaults(schema, value, definitions):
    if isinstance(value, dict):
        for key, part in schema.get("properties", {}).items():
            resolved = _resolved(part, definitions)
            if key not in value and "default" in resolved:
                value[key] = copy.deepcopy(resolved["default"])
            if key in value:
                _fill_defaults(resolved, value[key], definitions)
        if isinstance(others := schema.get("additionalProperties"), dict):
            for key in value.keys() - schema.get("properties", {}).keys():
                _fill_defaults(_resolved(others, definitions), value[key], definitions)
    elif isinstance(value, list):
        for item in value:
            _fill_defaults(_resolved(schema.get("items", {}), definitions), item, definitions)


def _resolved(schema, definitions):
    if "$ref" not in schema:
        return schema
    return {**definitions[schema["$ref"].removeprefix("#/$defs/")], **schema}
