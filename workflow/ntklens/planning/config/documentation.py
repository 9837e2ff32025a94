"""The files generated from the config's models: the JSON schema, and tables of config/README.md."""

import json
import re
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ntklens.planning.config.messages import fields_by_key, model_in, sections
from ntklens.planning.config.top import Config

ROOT = Path(__file__).parents[4]
SCHEMA = ROOT / "workflow/schemas/config.schema.json"
README = ROOT / "config/README.md"
LONGEST_LIST = 6  # items of a default that a table spells out
NOT_STATED = "◇"
TOP_LEVEL = "top level"
_TABLE = re.compile(r"(<!-- table: (.*?) -->\n).*?(<!-- end -->)", re.DOTALL)


def documents() -> dict[Path, str]:
    """Path -> content of every generated file; of README.md the tables alone are generated."""
    return {SCHEMA: schema_text(), README: with_tables(README.read_text(encoding="utf-8"))}


def schema_text() -> str:
    """The JSON schema of a config, as JSON."""
    schema = Config.model_json_schema()
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_plain(schema)}
    return json.dumps({**schema, "title": "ntk-lens configuration"}, indent=2, ensure_ascii=False) + "\n"


def _plain(schema: Any) -> Any:
    """``schema`` with units and marks in its descriptions, where editors show them, and without titles."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _plain(value) for name, value in schema.items()}
    if isinstance(plain.get("title"), str):
        del plain["title"]
    notes = [f"Unit: {plain.pop('unit')}."] if isinstance(plain.get("unit"), str) else []
    notes += [f"Default: {plain.pop('follows')}."] if isinstance(plain.get("follows"), str) else []
    notes += [f"Only on the axis {plain.pop('axis')}."] if isinstance(plain.get("axis"), str) else []
    notes += ["Not stated in the paper."] if plain.pop("not stated in the paper", False) else []
    if notes:
        plain["description"] = " ".join([plain["description"], *notes])
    return plain


def with_tables(text: str) -> str:
    """``text`` with every table between its markers, `<!-- table: ensemble -->` and `<!-- end -->`."""
    models = {re.sub(r"\.…|\[…\]", "", place): model for place, model in sections(Config)}
    models[TOP_LEVEL] = models.pop("")
    return _TABLE.sub(lambda match: f"{match[1]}\n{table(models[match[2]])}\n{match[3]}", text)


def table(model: type[BaseModel]) -> str:
    """The keys of one section as a Markdown table; sections below it have tables of their own."""
    rows = [
        f"| `{name}`{_mark(field)} | {_default(field)} | {_extra(field, 'unit')} | {_meaning(field)} |"
        for name, field in fields_by_key(model).items()
        if model_in(field.annotation) is None
    ]
    return "\n".join(["| key | default | unit | meaning |", "|---|---|---|---|", *rows, ""])


def _extra(field: FieldInfo, name: str) -> Any:
    extra = field.json_schema_extra
    return extra.get(name, "") if isinstance(extra, dict) else ""


def _mark(field: FieldInfo) -> str:
    return f" {NOT_STATED}" if _extra(field, "not stated in the paper") else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if follows := _extra(field, "follows"):
        return follows
    default = field.default
    if isinstance(default, tuple) and len(default) > LONGEST_LIST:
        return f"{len(default)} values from {_written(default[0])} to {_written(default[-1])}"
    return f"`{_written(default)}`"


def _written(value: Any) -> str:
    """``value`` as YAML has it."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, float):
        return re.sub(r"e([+-])0", r"e\1", f"{value:g}")
    return value if isinstance(value, str) else json.dumps(value)


def _meaning(field: FieldInfo) -> str:
    parts = [re.sub(r"\bnull\b", "`null`", field.description or "")]
    if allowed := _allowed(field.annotation):
        parts.append(f"One of {', '.join(f'`{value}`' for value in allowed)}.")
    if axis := _extra(field, "axis"):
        parts.append(f"Only on the axis `{axis}`.")
    return " ".join(parts)


def _allowed(annotation: Any) -> tuple[str, ...]:
    """The words that an annotation such as ``Literal["cpu", "gpu"]`` allows."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    inner = [one for one in get_args(annotation) if one is not NoneType]
    return _allowed(inner[0]) if len(inner) == 1 else ()
