"""Which folders `make setup` refuses: those where the programs that pip installs do not run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workflow.check_folder import defect

ROOT = Path(__file__).parents[2]
USABLE = [
    "plain",
    "a space",
    "it's",
    "it's a folder",
    'a"quote',
    "a$dollar",
    "a`tick",
    "ünï",
    "a#b",
    "[x]{y}",
]
REFUSED = {
    "a:colon": "a colon",
    'a "quote': "one of",
    "a $dollar": "one of",
    "a `tick": "one of",
    "a \\slash": "one of",
    '"' + 120 * "x": "one of",
    "a\nbreak": "a character that cannot be printed",
}


@pytest.mark.parametrize("name", USABLE)
def test_usable(name):
    assert defect(Path("/srv", name)) is None


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    assert defect(Path("/srv", name)).startswith(REFUSED[name])


@pytest.mark.parametrize("name", ["it's a folder", "a $(touch made) `touch made`", "a:colon"])
def test_make_says_so_before_it_sets_up(tmp_path, name):
    folder = tmp_path / name
    (folder / "workflow").mkdir(parents=True)
    for part in ("Makefile", "workflow/check_folder.py"):
        (folder / part).write_bytes((ROOT / part).read_bytes())
    (folder / "requirements.lock").touch()
    variables = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL")}
    # The check of the folder runs with this Python, all that would follow with none.
    shim = tmp_path / "python"
    lines = ["#!/bin/sh", 'case "$1" in -m) echo set up; exit 3;; esac', f'exec {sys.executable} "$@"', ""]
    shim.write_text("\n".join(lines), encoding="utf-8")
    shim.chmod(0o755)
    result = subprocess.run(
        ["make", "setup", f"PYTHON={shim}"],
        cwd=folder,
        env=variables,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    refused = defect(folder) is not None
    assert result.returncode != 0
    assert ("set up\n" in result.stdout) is not refused
    assert ("ntk-lens cannot be set up in the folder" in result.stderr) is refused
    assert not list(tmp_path.rglob("made"))
