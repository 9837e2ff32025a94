"""Checks of a config's file: that it is plain YAML or JSON, and gives no key twice.

Snakemake reads the file too. Of a key that is given twice it takes the last value without a word, and it
runs the Python code of a file that asks for the templating engine YTE.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ntklens.planning.config.base import shortened
from ntklens.planning.config.messages import ConfigError

MOST_NODES = 1_000_000  # values and keys of a config, counted as often as aliases repeat them
TEMPLATES = "__use_yte__"
PARTS = ("context", "problem")  # of the message of an error of YAML


def check_file(path: str | os.PathLike[str]) -> None:
    """Raise ConfigError, with the file and the line, unless Snakemake reads what the file says."""
    check_text(path, _text(path))


def read_file(path: str | os.PathLike[str]) -> Any:
    """What Snakemake reads from the config ``path``: JSON, or else YAML. Raises as `check_file` does."""
    text = _text(path)
    check_text(path, text)
    try:
        return json.loads(text)
    except ValueError:
        return yaml.safe_load(text)


def check_text(path: str | os.PathLike[str], text: str) -> None:
    """Raise as `check_file` does, for the ``text`` of the config ``path``."""
    loader = yaml.SafeLoader("")
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        _check_nodes(path, root)
        loader.construct_document(root)
    except yaml.YAMLError as error:
        if not _is_json(path, text):
            raise ConfigError(_at(path, *_problem(error, text))) from None
    except ValueError as error:  # a date or an integer that Python does not have
        raise ConfigError(_at(path, _one_line(str(error)))) from None
    except RecursionError:
        raise ConfigError(_at(path, "is nested too deeply")) from None
    finally:
        loader.dispose()


def _text(path: str | os.PathLike[str]) -> str:
    if not Path(path).is_file():
        raise ConfigError(_at(path, "is no file"))
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(_at(path, f"cannot be read ({error.strerror})")) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(_at(path, "is not encoded in UTF-8; save it in this encoding", line)) from None


def _at(path: str | os.PathLike[str], problem: str, line: int | None = None) -> str:
    where = "" if line is None else f", line {line}"
    return f"config file {shortened(os.path.relpath(path), 200)}{where}: {problem}"


def _problem(error: yaml.YAMLError, text: str) -> tuple[str, int]:
    """What is wrong, and in which line."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return "holds a character that YAML does not allow", line
    mark, parts = getattr(error, "problem_mark", None), (getattr(error, part, "") for part in PARTS)
    problem = _one_line(" ".join(part for part in parts if part))
    tabs = "; indent with spaces" if r"'\t'" in problem else ""
    return problem + tabs, 1 if mark is None else mark.line + 1


def _one_line(text: str, most: int = 200) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)[:most]


def _check_nodes(path: str | os.PathLike[str], root: yaml.Node | None) -> None:
    if root is None or (isinstance(root, yaml.ScalarNode) and not root.value):
        raise ConfigError(_at(path, "is empty: a config needs at least a name and studies"))
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError(_at(path, "must be a mapping of keys to values", _line(root)))
    counts: dict[int, int] = {}
    for node in _every(root):
        if isinstance(node, yaml.MappingNode):
            _check_mapping(path, node)
        counts[id(node)] = 1 + sum(counts.get(id(inner), MOST_NODES) for inner in _below(node))
        if counts[id(node)] > MOST_NODES:
            raise ConfigError(
                _at(path, "its aliases repeat each other, or hold themselves: write less", _line(node))
            )


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _every(node: yaml.Node) -> Iterator[yaml.Node]:
    """Every node once, those below a node before it; a node that holds itself comes after itself."""
    seen, stack = {id(node)}, [(node, iter(_below(node)))]
    while stack:
        upper, rest = stack[-1]
        inner = next(rest, None)
        if inner is None:
            stack.pop()
            yield upper
        elif id(inner) not in seen:
            seen.add(id(inner))
            stack.append((inner, iter(_below(inner))))


def _below(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [inner for pair in node.value for inner in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _check_mapping(path: str | os.PathLike[str], node: yaml.MappingNode) -> None:
    lines: dict[tuple[str, str], int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError(_at(path, "a key must be a word", _line(key)))
        if key.value == TEMPLATES:
            raise ConfigError(_at(path, f"the key {TEMPLATES} would run code: leave it out", _line(key)))
        name = (key.tag, key.value)
        if name in lines:
            again = f"the key {shortened(key.value)} is given twice, first in line {lines[name]}"
            raise ConfigError(_at(path, again, _line(key)))
        lines[name] = _line(key)


def _is_json(path: str | os.PathLike[str], text: str) -> bool:
    """Whether Snakemake reads ``text`` as JSON, which may be indented by tabs.

    Raises ConfigError for a key that is given twice.
    """

    def checked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise ConfigError(_at(path, f"the key {shortened(name)} is given twice"))
            found[name] = value
        return found

    try:
        json.loads(text, object_pairs_hook=checked)
    except (ValueError, RecursionError):
        return False
    return True
