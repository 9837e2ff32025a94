"""A terminal of a few sequences, and programs that run on one."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

TOKENS = re.compile(r"\x1b\[(?P<number>[0-9;]*)(?P<letter>[A-Za-z])|(?P<sign>[\s\S])")

# Makes standard input the terminal whose Ctrl-C a program gets. Done by an argument of Popen, this would be a
# fork of this process, which JAX warns of.
TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """What is on a terminal of this many ``columns``: its ``lines``, from the first one ever written.

    Knows what the view of the progress sends: signs, line ends, and sequences that move the cursor up, erase
    a line, or set a style. Any other sequence is an error.
    """

    def __init__(self, columns):
        self.columns, self._rows, self._row, self._column = columns, [""], 0, 0
        self.styled = False

    @property
    def lines(self):
        return "\n".join(row.rstrip() for row in self._rows).rstrip("\n").split("\n")

    @property
    def text(self):
        return "\n".join(self.lines)

    def feed(self, text):
        for token in TOKENS.finditer(text):
            if token["letter"]:
                self._obey(token["letter"], token["number"])
            elif token["sign"] == "\n":
                self._go_to(self._row + 1)
            elif token["sign"] == "\r":
                self._column = 0
            else:
                self._put(token["sign"])

    def _obey(self, letter, number):
        if letter == "A":
            self._row -= int(number or 1)
            assert self._row >= 0
        elif letter == "K":
            assert number == "2"
            self._rows[self._row] = ""
        else:
            assert letter == "m", letter
            self.styled |= any(code in range(30, 50) for code in map(int, number.split(";")))

    def _go_to(self, row):
        self._row = row
        self._rows += [""] * (row + 1 - len(self._rows))

    def _put(self, sign):
        assert sign.isprintable(), repr(sign)
        if self._column == self.columns:
            self._go_to(self._row + 1)
            self._column = 0
        row = self._rows[self._row].ljust(self._column)
        self._rows[self._row] = row[: self._column] + sign + row[self._column + 1 :]
        self._column += 1


def run_on_terminal(command, columns, rows=24, interrupt_at=None, seconds=300, **options):
    """Run a program on a pseudo-terminal. Returns its exit status, the `Terminal`, and all screens it had.

    ``interrupt_at`` types Ctrl-C as soon as this text is on the screen.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, *command],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        **options,
    )
    os.close(theirs)
    terminal, screens, deadline = Terminal(columns), [], time.monotonic() + seconds
    try:
        while (text := _read(ours, deadline)) is not None:
            terminal.feed(text)
            screens.append(terminal.text)
            if interrupt_at and interrupt_at in terminal.text:
                os.write(ours, b"\x03")
                interrupt_at = None
        return process.wait(), terminal, screens
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _read(descriptor, deadline):
    """What came from the program, whole characters; None at its end."""
    data = b""
    while True:
        assert select.select([descriptor], [], [], max(deadline - time.monotonic(), 0))[0], "runs too long"
        try:
            more = os.read(descriptor, 65536)
        except OSError:  # Linux says so when the program has ended
            more = b""
        if not more:
            return None
        data += more
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            continue
