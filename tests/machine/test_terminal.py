"""What is shown on terminals with and without the paper's symbols."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ntklens.machine.terminal import show

WORKFLOW = Path(__file__).parents[2] / "workflow"


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("utf-8", "Tr Θ₀ × 2\n".encode()), ("ascii", b"Tr \\u0398\\u2080 \\xd7 2\n")],
)
def test_signs_that_the_encoding_lacks_are_escaped(monkeypatch, encoding, shown):
    bytes_shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(bytes_shown, encoding, write_through=True))
    show("Tr Θ₀ × 2")
    assert bytes_shown.getvalue() == shown


@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_reader_that_stops_reading_ends_nothing(lines):
    """As `head` does: with a text that fits stdout's buffer, and with one that does not."""
    read, write = os.pipe()
    os.close(read)
    body = f"show({lines} * 'a line\\n'); show('another'); sys.exit(3)"
    result = subprocess.run(
        [sys.executable, "-c", f"import sys; from ntklens.machine.terminal import show; {body}"],
        env={**os.environ, "PYTHONPATH": str(WORKFLOW)},
        stdout=write,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    os.close(write)
    assert (result.returncode, result.stderr) == (3, "")
