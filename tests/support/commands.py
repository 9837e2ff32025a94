"""The command line `python -m ntklens`, called as a user calls it."""

import os
import subprocess
import sys
from pathlib import Path

WORKFLOW = Path(__file__).parents[2] / "workflow"


def ntklens(*arguments, cwd):
    """The finished process of `python -m ntklens` with these ``arguments`` in the folder ``cwd``."""
    return subprocess.run(
        [sys.executable, "-m", "ntklens", *arguments],
        env={**os.environ, "PYTHONPATH": str(WORKFLOW)},
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
    )
