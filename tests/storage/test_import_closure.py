import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ntklens.storage.files import sha256
from ntklens.storage.import_closure import code_digests, code_sha256, import_closure

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
        encoding="utf-8",
        check=True,
    )
    return json.loads(result.stdout)


@pytest.mark.parametrize("script", SCRIPTS, ids=[script.stem for script in SCRIPTS])
def test_closure_of_a_script_is_what_python_loads(script, loaded):
    files = {Path(file).resolve() for file in loaded[script.stem]}
    assert set(import_closure(script)) == {script.resolve(), *files}


def closure_of(tmp_path, code, *modules):
    """The closure of a script of this ``code``, without the script itself."""
    script = tmp_path / "script.py"
    script.write_text(code, encoding="utf-8")
    found = import_closure(str(script), *modules)
    assert script.resolve() in found
    assert found == sorted(found)
    return {str(path.relative_to(PACKAGE)) for path in found if path != script.resolve()}


STORAGE = {
    "__init__.py",
    "storage/__init__.py",
    "storage/hdf5.py",
    "storage/errors.py",
    "storage/files.py",
    "storage/labels.py",
    "storage/quantities.py",
    "storage/sealing.py",
}


@pytest.mark.parametrize(
    "code",
    [
        "from ntklens.storage.hdf5 import add_dataset",
        "from ntklens.storage import hdf5",
        "from ntklens.storage import hdf5 as files",
        "import ntklens.storage.hdf5",
        "import os, ntklens.storage.hdf5 as files",
        "def later():\n    from ntklens.storage.hdf5 import add_dataset",
        "try:\n    import ntklens.storage.hdf5\nexcept ImportError:\n    pass",
    ],
)
def test_every_way_to_import_is_followed(tmp_path, code):
    assert closure_of(tmp_path, code) == STORAGE


def test_package_brings_none_of_its_modules(tmp_path):
    assert closure_of(tmp_path, "import ntklens.storage") == {"__init__.py", "storage/__init__.py"}


def test_module_loaded_by_name_brings_what_it_imports(tmp_path):
    assert closure_of(tmp_path, "", "ntklens.storage.hdf5") == STORAGE
    both = closure_of(tmp_path, "", "ntklens.storage.hdf5", "ntklens.data.errors")
    assert both == STORAGE | {"data/__init__.py", "data/errors.py"}


@pytest.mark.parametrize("name", ["ntklens.storage.nowhere", "nowhere", "ntklens.storage.hdf5.new_file"])
def test_module_loaded_by_a_wrong_name_raises(tmp_path, name):
    with pytest.raises(ValueError, match=f"there is no module {name}"):
        closure_of(tmp_path, "", name)


def test_digest_is_of_the_script_and_of_modules_loaded_by_name(tmp_path):
    script = tmp_path / "script.py"

    def digest(code, *modules):
        script.write_text(code, encoding="utf-8")
        return code_sha256(script, *modules)

    alone = digest("x = 1")
    assert digest("x = 1") == alone
    assert digest("x = 2") != alone
    assert digest("x = 1", "ntklens.data.errors") != alone


def test_digests_are_of_each_file_of_the_closure():
    script = WORKFLOW / "scripts/transition.py"
    digests = code_digests(script)
    assert {WORKFLOW / name for name in digests} == set(import_closure(script))
    assert digests["scripts/transition.py"] == sha256(script)


@pytest.mark.parametrize(
    "code", ["", "import json\nfrom numpy import linalg", "text = 'import ntklens.storage.hdf5'"]
)
def test_script_without_ntklens_stands_alone(tmp_path, code):
    assert closure_of(tmp_path, code) == set()
