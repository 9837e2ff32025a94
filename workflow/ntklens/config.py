"""The configuration: checked against its schema and against sense, completed by the defaults."""

import copy
import math
from pathlib import Path

import jsonschema
import jsonschema.exceptions
import jsonschema.validators
import yaml

from ntklens.datasets import REGISTRY
from ntklens.studies import curves, scale_key

SCHEMA = Path(__file__).parent.parent / "schemas" / "config.schema.yaml"
LARGEST_DRAW = 1 / 4  # of the pool: larger draws have most samples in common
FARTHEST_FROM_ANCHORS = 2  # a factor in scale; the fitted rates are not extrapolated beyond


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


class ConfigError(Exception):
    """A config that cannot be used; names the key and says what is allowed."""


def complete(config):
    """A copy of ``config`` with the schema's defaults filled in. Raises ConfigError if invalid."""
    schema = yaml.safe_load(SCHEMA.read_text())
    config = copy.deepcopy(dict(config))
    error = jsonschema.exceptions.best_match(_Validator(schema).iter_errors(config))
    if error:
        raise ConfigError(_explain(error))
    _fill_defaults(schema, config, schema["$defs"])
    _check_sense(config)
    return config


def _explain(error):
    """One line: which key, what is wrong, what is allowed."""
    key = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path
    ).lstrip(".")
    place = f"config key '{key}'" if key else "the config"
    limit = error.validator_value
    if error.validator == "additionalProperties":
        allowed = sorted(error.schema["properties"])
        unknown = ", ".join(repr(name) for name in error.instance if name not in allowed)
        return f"{place} has the unknown key {unknown}; allowed are {', '.join(allowed)}"
    if error.validator == "required":
        missing = ", ".join(name for name in limit if name not in error.instance)
        return f"{place} lacks the key {missing}"
    rules = {
        "type": "must be of type {limit}",
        "minimum": "must be at least {limit}",
        "exclusiveMinimum": "must be more than {limit}",
        "exclusiveMaximum": "must be less than {limit}",
        "minItems": "must list at least {limit} item",
        "minProperties": "must have at least {limit} entry",
        "uniqueItems": "must not repeat an item",
        "pattern": "must match {limit}",
    }
    if isinstance(limit, list):
        limit = " or ".join(limit)
    rule = rules[error.validator].format(limit=limit)
    meaning = error.schema.get("description", "")
    return f"{place} is {error.instance!r}, but {rule}. {meaning}".rstrip()


def _fill_defaults(schema, value, definitions):
    if isinstance(value, dict):
        for key, part in schema.get("properties", {}).items():
            resolved = _resolved(part, definitions)
            if key not in value and "default" in resolved:
                value[key] = copy.deepcopy(resolved["default"])
            if key in value:
                _fill_defaults(resolved, value[key], definitions)
    elif isinstance(value, list):
        for item in value:
            _fill_defaults(schema.get("items", {}), item, definitions)


def _resolved(schema, definitions):
    if "$ref" not in schema:
        return schema
    return {**definitions[schema["$ref"].removeprefix("#/$defs/")], **schema}


def _check_sense(config):
    """What a schema cannot say: keys that must fit each other."""
    training, ensemble = config["training"], config["ensemble"]
    first, last = training["window"]["first"], training["window"]["last"]
    epochs = training["spectrum_epochs"]
    _require(first < last, "training.window", f"first ({first}) must come before last ({last})")
    _require(
        last < training["max_epochs"],
        "training.max_epochs",
        f"{training['max_epochs']} must be more than the window's last epoch, {last}",
    )
    _require(
        epochs == sorted(epochs) and epochs[0] == 0 and epochs[-1] <= last,
        "training.spectrum_epochs",
        f"must ascend from 0 to at most the window's last epoch, {last}",
    )
    smoothing, step = config["analysis"]["smoothing_epochs"], training["trace_every"]
    _require(
        smoothing % step == 0,
        "analysis.smoothing_epochs",
        f"{smoothing} must be a multiple of training.trace_every, {step}",
    )
    _require(
        config["ntk_samples"] <= config["test_samples"],
        "ntk_samples",
        f"{config['ntk_samples']} must not exceed test_samples, {config['test_samples']}",
    )
    _require(
        ensemble["min_members"] <= ensemble["seeds"],
        "ensemble.min_members",
        f"{ensemble['min_members']} must not exceed ensemble.seeds, {ensemble['seeds']}",
    )
    for study, entries in config["studies"].items():
        names = [entry["dataset"] for entry in entries]
        for index, entry in enumerate(entries):
            key = f"studies.{study}[{index}]"
            _require(
                names.count(entry["dataset"]) == 1,
                f"{key}.dataset",
                f"{entry['dataset']} has an entry already: one entry a dataset",
            )
            _check_entry(config, study, entry, key)
    _check_figures(config)


def _check_entry(config, study, entry, key):
    dataset = entry["dataset"]
    _require(
        dataset in REGISTRY,
        f"{key}.dataset",
        f"unknown {dataset!r}; allowed are {', '.join(REGISTRY)}",
    )
    for network in entry["networks"]:
        _require(
            network in config["networks"],
            f"{key}.networks",
            f"unknown {network!r}; allowed are {', '.join(config['networks'])}",
        )
    grid, anchors = entry[scale_key(study)], entry["calibrate_at"]
    lowest, highest = min(anchors) / FARTHEST_FROM_ANCHORS, max(anchors) * FARTHEST_FROM_ANCHORS
    _require(
        entry["learning_rate"] is not None or lowest <= min(grid) <= max(grid) <= highest,
        f"{key}.calibrate_at",
        f"must reach within a factor {FARTHEST_FROM_ANCHORS} of every scale from {min(grid)} to {max(grid)}",
    )
    most = REGISTRY[dataset].most_test_samples
    _require(
        config["test_samples"] <= most,
        "test_samples",
        f"{config['test_samples']} must not exceed the {most} that {dataset} can give",
    )
    pool = REGISTRY[dataset].pool_size(config["test_samples"])
    draws = {f"{key}.{scale_key(study)}": max(grid), f"{key}.calibrate_at": max(anchors)}
    if study == "model-scaling":
        draws = {f"{key}.train_samples": entry["train_samples"]}
    for name, samples in draws.items():
        _require(
            samples <= pool * LARGEST_DRAW,
            name,
            f"{samples} samples are more than a quarter of {dataset}'s pool of {pool}: "
            "the draws would be nearly the same",
        )


def _check_figures(config):
    figures = config["figures"]
    datasets = list(dict.fromkeys(curve.dataset for curve in curves(config)))
    _require(
        figures["dataset"] in (None, *datasets),
        "figures.dataset",
        f"unknown {figures['dataset']!r}; allowed are {', '.join(datasets)}",
    )
    networks = {curve.network for curve in curves(config, "model-scaling")}
    _require(
        not networks or figures["model_scaling_network"] in networks,
        "figures.model_scaling_network",
        f"{figures['model_scaling_network']!r} is not trained; allowed are {', '.join(sorted(networks))}",
    )


def _require(condition, key, message):
    if not condition:
        raise ConfigError(f"config key '{key}': {message}")
