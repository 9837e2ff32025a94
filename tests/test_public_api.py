"""`from ntklens import …` offers the engine's functions, and loads each only when it is asked for."""

import ast
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import ntklens
import pytest
from ntklens.storage.import_closure import import_closure

WORKFLOW = Path(__file__).parents[1] / "workflow"
HOMES = {
    "effective_rank": "ntklens.spectrum.effective_rank",
    "layer_kernels": "ntklens.kernel.ntk",
    "normalised": "ntklens.spectrum.eigenvalues",
    "ntk_matrix": "ntklens.kernel.ntk",
    "ntk_trace": "ntklens.kernel.ntk",
    "read_run": "ntklens.storage.run_files",
}


def printed_by(code):
    """The words that ``code`` prints in a fresh interpreter."""
    environment = {**os.environ, "PYTHONPATH": str(WORKFLOW)}
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=True)
    return result.stdout.split()


@pytest.mark.parametrize("name", HOMES)
def test_public_name_is_that_of_its_module(name):
    assert getattr(ntklens, name) is getattr(import_module(HOMES[name]), name)


def test_public_names_are_listed():
    assert set(ntklens.__all__) == set(HOMES)
    assert set(dir(ntklens)) >= {*HOMES, "__doc__", "__file__"}


def test_type_checkers_read_the_same_names_from_the_same_modules():
    tree = ast.parse((WORKFLOW / "ntklens/__init__.pyi").read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {alias.name: node.module for node in imports for alias in node.names} == HOMES
    (listed,) = [node.value for node in tree.body if isinstance(node, ast.Assign)]
    assert ast.literal_eval(listed) == ntklens.__all__


def test_unknown_name_is_no_attribute():
    with pytest.raises(AttributeError, match="'ntklens' has no attribute 'no_such_name'"):
        _ = ntklens.no_such_name
    with pytest.raises(ImportError, match="no_such_name"):
        exec("from ntklens import no_such_name")


def test_star_import_brings_the_public_names():
    names = {}
    exec("from ntklens import *", names)
    assert set(names) - {"__builtins__"} == set(HOMES)


def test_import_loads_neither_jax_nor_numpy():
    code = "import sys, ntklens; print(*(name in sys.modules for name in ('jax', 'flax', 'numpy', 'scipy')))"
    assert printed_by(code) == ["False"] * 4


def test_effective_rank_loads_no_jax():
    assert printed_by("import sys; from ntklens import effective_rank; print('jax' in sys.modules)") == [
        "False"
    ]


def test_sub_packages_are_imported_as_ever():
    assert printed_by("from ntklens import spectrum; print(spectrum.__name__)") == ["ntklens.spectrum"]


def test_lazy_names_add_nothing_to_an_import_closure(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import ntklens\n", encoding="utf-8")
    assert import_closure(script) == sorted([script, WORKFLOW / "ntklens" / "__init__.py"])


def imported_from_ntklens(path):
    """The names that the file at ``path`` imports from ntklens itself."""
    imports = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
    ]
    return {alias.name for node in imports if node.module == "ntklens" for alias in node.names}


def test_workflow_imports_no_lazy_name():
    """An import closure would miss the name's module, and an edit there would leave old results in place."""
    lazy = {*HOMES, "*"}
    assert [path for path in sorted(WORKFLOW.rglob("*.py")) if imported_from_ntklens(path) & lazy] == []
