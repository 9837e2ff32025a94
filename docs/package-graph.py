"""Prints which packages of ntklens import which, in Mermaid's language, for docs/architecture.md.

    python docs/package-graph.py --write

An arrow leads from a package to one that it imports from. An arrow that follows from others is left out: if
figures import from studies, and studies from training, there is none from figures to training.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from page_blocks import print_or_write

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "architecture.md"
BLOCK = re.compile(r"(?<=```mermaid\n)flowchart TD\n.*?(?=```\n)", re.DOTALL)

Imports = dict[str, set[str]]


def imports_of_packages() -> Imports:
    """The packages that each package of ntklens imports from, itself left out."""
    packages = sorted(path.parent for path in (ROOT / "workflow" / "ntklens").glob("*/__init__.py"))
    return {
        package.name: {name for path in package.rglob("*.py") for name in _imported(path)} - {package.name}
        for package in packages
    }


def _imported(path: Path) -> Iterator[str]:
    """The packages of ntklens that the module ``path`` imports from."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for parts in (module.split(".") for module in modules):
            if parts[0] == "ntklens" and len(parts) > 1:
                yield parts[1]


def reduced(imports: Imports) -> Imports:
    """``imports`` without those that follow from others. There are no cycles: `make lint` checks that."""

    def reached(package: str) -> set[str]:
        return imports[package].union(*(reached(other) for other in imports[package]))

    return {
        package: {other for other in direct if not any(other in reached(via) for via in direct - {other})}
        for package, direct in imports.items()
    }


def graph(imports: Imports) -> str:
    """The packages as a Mermaid graph."""
    lines = [f"{package} --> {other}" for package in sorted(imports) for other in sorted(imports[package])]
    return "flowchart TD\n" + "".join(f"    {line}\n" for line in lines)


def main() -> None:
    print_or_write(__doc__, graph(reduced(imports_of_packages())), [PAGE], BLOCK)


if __name__ == "__main__":
    main()
