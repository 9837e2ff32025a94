"""Which source files a script's output depends on: itself and the ntklens modules it imports."""

import ast
from functools import cache
from pathlib import Path

from ntklens.storage.files import json_sha256, sha256

WORKFLOW = Path(__file__).parents[2]


def import_closure(script, *modules):
    """``script`` and every ntklens module that it imports, directly or not, as sorted paths.

    Found by reading import statements, wherever they stand in a file, without running any. ``modules`` are
    names of modules that the script loads by name, which no import statement tells. Raises ValueError for a
    name that no module has.
    """
    found, waiting = set(), [Path(script).resolve()]
    for name in modules:
        if not any(path.is_file() for path in _candidates(name)):
            raise ValueError(f"there is no module {name}")
        waiting += _files(name)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(path)
    return sorted(found)


def code_sha256(script, *modules):
    """One digest of the content of all files of `import_closure`."""
    return json_sha256([sha256(path) for path in import_closure(script, *modules)])


@cache
def _imported(path):
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return [file for name in names if name.split(".")[0] == "ntklens" for file in _files(name)]


def _files(name):
    """The module ``name`` and the packages that it lies in, as far as they exist."""
    parts = name.split(".")
    packages = [WORKFLOW.joinpath(*parts[:i], "__init__.py") for i in range(1, len(parts))]
    return [path for path in (*packages, *_candidates(name)) if path.is_file()]


def _candidates(name):
    """Where the module ``name`` is, if it is a package, and if it is none."""
    path = WORKFLOW.joinpath(*name.split("."))
    return [path / "__init__.py", path.with_suffix(".py")]
