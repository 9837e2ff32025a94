"""The source files that a script's output depends on: the script and the ntklens modules it imports."""

import ast
from functools import cache
from pathlib import Path

from ntklens.storage.files import FilePath, json_sha256, sha256

WORKFLOW = Path(__file__).parents[2]


def import_closure(script: FilePath, *modules: str) -> list[Path]:
    """``script`` and every ntklens module that it imports, directly or indirectly, as sorted paths.

    Import statements are read from the source, wherever they stand, and nothing is run. ``modules`` are the
    names of modules that the script loads by name, without an import statement. Raises ValueError if one of
    them does not exist.
    """
    found: set[Path] = set()
    waiting = [Path(script).resolve()]
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


def code_sha256(script: FilePath, *modules: str) -> str:
    """One digest of the contents of all files of `import_closure`."""
    return json_sha256([sha256(path) for path in import_closure(script, *modules)])


def code_digests(script: FilePath, *modules: str) -> dict[str, str]:
    """The digest of each file of `import_closure`, by its path in the workflow's folder."""
    closure = import_closure(script, *modules)
    return {path.relative_to(WORKFLOW).as_posix(): sha256(path) for path in closure}


@cache
def _imported(path: Path) -> list[Path]:
    """The files of the ntklens modules that the file ``path`` imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return [file for name in names if name.split(".")[0] == "ntklens" for file in _files(name)]


def _files(name: str) -> list[Path]:
    """The files of the module ``name`` and of the packages that contain it, as far as they exist."""
    parts = name.split(".")
    packages = [WORKFLOW.joinpath(*parts[:i], "__init__.py") for i in range(1, len(parts))]
    return [path for path in (*packages, *_candidates(name)) if path.is_file()]


def _candidates(name: str) -> list[Path]:
    """The two paths at which ``name`` can be: as a package and as a module."""
    path = WORKFLOW.joinpath(*name.split("."))
    return [path / "__init__.py", path.with_suffix(".py")]
