"""What .ci/run does with a machine's own tools."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / ".ci/run"


def part_about_pyenv() -> str:
    text = SCRIPT.read_text(encoding="utf-8")
    start = text.index("if type pyenv")
    return text[start : text.index("\nfi\n", start) + 4]


@pytest.mark.parametrize(
    ("installed", "expected"),
    [
        ("3.11.4 3.12.7 3.13.1", "3.11.4:3.12.7:3.13.1"),
        ("3.11.4 3.12.7", "3.11.4:3.12.7"),
        ("3.10.2 3.11.4", "3.11.4:"),  # pyenv takes it: there is nothing after the colon
    ],
)
def test_other_versions_of_python_are_offered_if_there_are_any(
    tmp_path: Path, installed: str, expected: str
) -> None:
    pyenv = tmp_path / "pyenv"
    pyenv.write_text(
        f"""#!/bin/sh
[ "$1" = versions ] && printf '%s\\n' {installed} || echo 3.11.4
""",
        encoding="utf-8",
    )
    pyenv.chmod(0o755)
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", part_about_pyenv() + 'echo "$PYENV_VERSION"'],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        encoding="utf-8",
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{expected}\n", "")
