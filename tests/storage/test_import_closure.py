import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ntklens.storage.import_closure import code_sha256, import_closure

WORKFLOW = Path(__file__).parents[2] / "workflow"
PACKAGE = WORKFLOW / "ntklens"
SCRIPTS = sorted((WORKFLOW / "scripts").glob("*.py"))

# Imports every script anew and prints, for each, the files that sys.modules then holds of ntklens.
IMPORT_ALL = """
import importlib, json, sys
loaded = {}
for script in sys.argv[1:]:
    for name in [name for name in sys.modules if name.split(".")[0] == "ntklens"]:
        del sys.modules[name]
    importlib.import_module(script)
    loaded[script] = [
        module.__file__ for name, module in sys.modules.items() if name.split(".")[0] == "ntklens"
    ]
print(json.dumps(loaded))
"""


@pytest.fixture(scope="module")
def loaded():
    """Script name -> the ntklens files that Python loads for it."""
    paths = os.pathsep.join([str(WORKFLOW), str(WORKFLOW / "scripts")])
    result = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, *(script.stem for script in SCRIPTS)],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(result.stdout)


@pytest.mark.parametrize("script", SCRIPTS, ids=[script.stem for script in SCRIPTS])
def test_closure_of_a_script_is_what_python_loads(script, loaded):
    files = {Path(file).resolve() for file in loaded[script.stem]}
    assert set(import_closure(script)) == {script.resolve(), *files}


def closure_of(tmp_path, code):
    """The closure of a script of this ``code``, without the script itself."""
    script = tmp_path / "script.py"
    script.write_text(code)
    found = import_closure(str(script))
    assert script.resolve() in found
    assert found == sorted(found)
    return {str(path.relative_to(PACKAGE)) for path in found if path != script.resolve()}


@pytest.mark.parametrize(
    "code",
    [
        "from ntklens.storage.hdf5 import add_dataset",
        "from ntklens.storage import hdf5",
        "from ntklens.storage import hdf5 as storage",
        "import ntklens.storage.hdf5",
        "import os, ntklens.storage.hdf5 as storage",
        "def later():\n    from ntklens.storage.hdf5 import add_dataset",
        "try:\n    import ntklens.storage.hdf5\nexcept ImportError:\n    pass",
    ],
)
def test_every_way_to_import_is_followed(tmp_path, code):
    assert closure_of(tmp_path, code) == {
        "__init__.py",
        *(f"storage/{name}.py" for name in ("__init__", "files", "hdf5", "quantities")),
    }


def test_module_of_a_subpackage_brings_its_packages(tmp_path):
    found = closure_of(tmp_path, "from ntklens.figures.style import COLUMN")
    assert {"__init__.py", "figures/__init__.py", "figures/style.py"} <= found


@pytest.mark.parametrize(
    "code", ["", "import json\nfrom numpy import linalg", "text = 'import ntklens.storage.hdf5'"]
)
def test_script_without_ntklens_stands_alone(tmp_path, code):
    assert closure_of(tmp_path, code) == set()


def test_modules_loaded_by_name_are_followed_too(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("")
    closure = set(import_closure(script, "ntklens.storage.hdf5")) - {script.resolve()}
    found = {str(path.relative_to(PACKAGE)) for path in closure}
    assert {"storage/hdf5.py", "storage/quantities.py", "storage/files.py"} <= found
    assert code_sha256(script) != code_sha256(script, "ntklens.storage.hdf5")
