"""What is shown on terminals with and without the paper's symbols."""

import io
import sys

import pytest
from ntklens.machine.terminal import show


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("utf-8", "Tr Θ₀ × 2\n".encode()), ("ascii", b"Tr \\u0398\\u2080 \\xd7 2\n")],
)
def test_signs_that_the_encoding_lacks_are_escaped(monkeypatch, encoding, shown):
    bytes_shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(bytes_shown, encoding, write_through=True))
    show("Tr Θ₀ × 2")
    assert bytes_shown.getvalue() == shown
