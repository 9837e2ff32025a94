"""Every function of ntklens, its scripts and benchmarks has annotated parameters and an annotated result."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = sorted(path.parent for path in (ROOT / "workflow/ntklens").glob("*/__init__.py"))
NAMES = ("", "/scripts", "/ntklens", "/snakemake_logger_plugin_ntklens")
FOLDERS = [*(ROOT / f"workflow{name}" for name in NAMES), ROOT / "benchmarks"]


def modules(folder):
    return sorted(folder.rglob("*.py") if folder in PACKAGES else folder.glob("*.py"))


def functions_of(tree):
    """Every function in ``tree``, nested ones too, and whether its first parameter is bound (self or cls)."""
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                decorators = {name.id for name in child.decorator_list if isinstance(name, ast.Name)}
                yield child, isinstance(node, ast.ClassDef) and "staticmethod" not in decorators


def missing_annotations(function, bound):
    """The parameters of ``function`` that have no annotation, and "return" if the result has none."""
    own = function.args
    parameters = [*own.posonlyargs, *own.args][bound:] + own.kwonlyargs
    parameters += [parameter for parameter in (own.vararg, own.kwarg) if parameter]
    missing = [parameter.arg for parameter in parameters if parameter.annotation is None]
    return missing + ["return"] * (function.returns is None)


@pytest.mark.parametrize("folder", FOLDERS + PACKAGES, ids=lambda folder: folder.name)
def test_every_function_is_annotated(folder):
    incomplete = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}: {', '.join(missing)}"
        for path in modules(folder)
        for function, bound in functions_of(ast.parse(path.read_text(encoding="utf-8")))
        if (missing := missing_annotations(function, bound))
    ]
    assert incomplete == []


@pytest.mark.parametrize(
    ("code", "missing"),
    [
        ("def f(a: int, /, b: int, *c: int, d: int = 0, **e: int) -> int: ...", []),
        ("def f(a, /, b, *c, d=0, **e): ...", ["a", "b", "d", "c", "e", "return"]),
        ("class A:\n    def f(self, a: int) -> None: ...", []),
        ("class A:\n    @classmethod\n    def f(cls) -> None: ...", []),
        ("class A:\n    @staticmethod\n    def f(a) -> None: ...", ["a"]),
        ("def f() -> None:\n    def g(a) -> None: ...", ["a"]),
        ("def f() -> None:\n    if True:\n        async def g(): ...", ["return"]),
        ("f = lambda a: a", []),
    ],
)
def test_missing_annotations_are_found_wherever_they_stand(code, missing):
    functions = functions_of(ast.parse(code))
    assert [name for found in functions for name in missing_annotations(*found)] == missing
