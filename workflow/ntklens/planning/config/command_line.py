"""Values of Snakemake's `--config KEY=VALUE` on the command line."""

from typing import Any

import yaml


def as_written(value: Any) -> Any:
    """``value``, with the words in it that YAML reads as true, false, null or a number.

    Snakemake reads `keep_runs=True` as a boolean, but leaves `keep_runs=true`, `data_dir=null` and all that
    is inside a list or a mapping as text.
    """
    if isinstance(value, dict):
        return {name: as_written(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [as_written(inner) for inner in value]
    return _scalar(value) if isinstance(value, str) else value


def _scalar(text: str) -> Any:
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return text
    return value if value is None or isinstance(value, bool | int | float) else text
