"""Transfers of one file from one host over an unreliable connection: retries, resumption, a least speed."""

import contextlib
import errno
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import requests
import urllib3
from tqdm import tqdm

TRIES = 4  # in a row without a new byte; then the transfer fails
PAUSE = 1.0  # seconds before the second try, doubled before each further one
TIMEOUT = (10.0, 60.0)  # seconds to connect, seconds between two pieces
PIECE = 1 << 15  # bytes
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # no other try or mirror helps
PASSING = (408, 429, 500, 502, 503, 504)  # HTTP status codes of temporary problems
LEAST_SPEED = 300_000.0  # bytes per second that a mirror must give while there are others
WINDOW = 20.0  # seconds over which its speed is measured


class FailedError(Exception):
    """A transfer failed for good. The message says why."""


class SlowError(Exception):
    """A transfer was given up for its ``speed``, in bytes per second. What it brought is kept."""

    def __init__(self, speed: float) -> None:
        super().__init__(f"slow, {speed / 1000:.0f} kB/s")
        self.speed = speed


class Pace:
    """Measures the speed of a transfer in one `WINDOW` after the other, pauses between tries included."""

    def __init__(self, least: float) -> None:
        self._least = least
        self._begin()

    def _begin(self) -> None:
        self._since, self._received = time.monotonic(), 0

    def note(self, received: int) -> None:
        """Count ``received`` bytes. Raises SlowError if they end a window below the least speed."""
        self._received += received
        seconds = time.monotonic() - self._since
        if seconds >= WINDOW:
            speed = self._received / seconds
            if speed < self._least:
                raise SlowError(speed)
            self._begin()


class Transfer:
    """Brings the file at ``address`` to ``part``, as far as it is not there yet.

    If the ``size`` of the file is known, every host has the same bytes, and ``part`` may come from several.
    If not, ``part`` is this host's own, and is resumed only while the host's tag for the file stays the same.
    A transfer slower than ``least_speed``, in bytes per second, is given up; 0 is never too slow.
    """

    def __init__(
        self, session: requests.Session, address: str, part: Path, size: int | None, least_speed: float
    ) -> None:
        self._session, self.address, self.part, self._size = session, address, part, size
        self._least_speed = least_speed

    def complete(self) -> bool:
        """Complete the file, retrying as long as new bytes arrive.

        Returns whether it was put together from several answers. Raises FailedError, SlowError, and OSError
        if the disk is full.
        """
        pace = Pace(self._least_speed)
        longest, failed = size_of(self.part), 0
        while True:
            try:
                return self._receive(pace)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                if getattr(error, "errno", None) in NO_ROOM:
                    raise
                answer = getattr(error, "response", None)
                if answer is not None and answer.status_code not in PASSING:
                    raise FailedError(str(error)) from None
                reason = str(error)
            failed = 1 if size_of(self.part) > longest else failed + 1
            longest = max(longest, size_of(self.part))
            if failed == TRIES:
                raise FailedError(reason) from None
            time.sleep(PAUSE * 2 ** (failed - 1))
            try:
                pace.note(0)
            except SlowError as slow:
                raise slow if slow.speed else FailedError(reason) from None

    def _receive(self, pace: Pace) -> bool:
        """Try once to append what ``part`` lacks, or to write it anew if the server cannot resume.

        Returns whether it appended.
        """
        held = size_of(self.part)
        with self._session.get(
            self.address, headers=self._headers(held), stream=True, timeout=self._timeout()
        ) as answer:
            # No bytes follow those we have: the part is complete, or belongs to another file.
            if answer.status_code == 416:
                if answer.headers.get("Content-Range") == f"bytes */{held}":
                    return True
                discard(self.part)
                raise OSError(f"part of {held} bytes does not fit the file")
            answer.raise_for_status()
            first = self._first_byte(answer, held)
            length = answer.headers.get("Content-Length", "")
            total = first + int(length) if length.isdecimal() else None
            if None not in (total, self._size) and total != self._size:
                raise FailedError(f"has a file of {total} bytes, not of {self._size}")
            self._note_tag(answer)
            # A known file is not written anew where the server starts again: its first bytes are here.
            skipped = held - first if self._size is not None else 0
            with (
                self.part.open("ab" if first + skipped else "wb") as file,
                progress(self.address, first, total) as advance,
            ):
                for piece in answer.raw.stream(PIECE, decode_content=False):
                    file.write(piece[min(skipped, len(piece)) :])
                    skipped = max(skipped - len(piece), 0)
                    advance(len(piece))
                    pace.note(len(piece))
        if self._size is not None and size_of(self.part) < self._size:
            raise OSError("the connection ended early")
        return held > 0 and (first > 0 or self._size is not None)

    def _headers(self, held: int) -> dict[str, str]:
        # Without compression in transit: its byte counts would differ from the file's.
        headers = {"Accept-Encoding": "identity"}
        if held:
            headers["Range"] = f"bytes={held}-"
            if self._size is None and _tag(self.part).exists():
                headers["If-Range"] = _tag(self.part).read_text(encoding="utf-8")
        return headers

    def _timeout(self) -> tuple[float, float]:
        """A transfer that must not be slow waits no longer for a piece than it may take to show its speed."""
        connect, wait = TIMEOUT
        return connect, min(wait, WINDOW) if self._least_speed else wait

    def _first_byte(self, answer: requests.Response, held: int) -> int:
        """The position of the first byte in ``answer``, when ``held`` bytes are here."""
        if answer.status_code != 206:
            return 0
        if not answer.headers.get("Content-Range", "").startswith(f"bytes {held}-"):
            discard(self.part)
            raise OSError("the server sent another range than requested")
        return held

    def _note_tag(self, answer: requests.Response) -> None:
        """Save the tag that ``answer`` gives for the version of the file."""
        tag: str | None = answer.headers.get("ETag", "")
        if not tag or tag.startswith("W/"):  # a weak one does not promise the same bytes
            tag = answer.headers.get("Last-Modified")
        if tag and self._size is None:
            _tag(self.part).write_text(tag, encoding="utf-8")
        else:
            _tag(self.part).unlink(missing_ok=True)


def part_of(target: Path, address: str, size: int | None) -> Path:
    """Where the part of ``target`` from ``address`` is kept: one for all hosts if the ``size`` is known."""
    own = "" if size is not None else "-" + urlsplit(address).netloc.replace(":", "-")
    return target.with_name(f"{target.name}.part{own}")


def discard(part: Path) -> None:
    """Delete ``part`` and its tag."""
    part.unlink(missing_ok=True)
    _tag(part).unlink(missing_ok=True)


def size_of(path: Path) -> int:
    """The size of a file in bytes; 0 if it does not exist."""
    return path.stat().st_size if path.exists() else 0


def _tag(part: Path) -> Path:
    """The path of the file with the server's tag for the version that ``part`` belongs to."""
    return part.with_name(part.name + ".tag")


@contextlib.contextmanager
def progress(address: str, held: int, total: int | None) -> Iterator[Callable[[int], object]]:
    """A function to call with each number of new bytes. It shows a bar on a terminal, ten lines in a log."""
    if sys.stderr.isatty():
        name = address.rsplit("/", 1)[-1]
        with tqdm(total=total, initial=held, unit="B", unit_scale=True, desc=name) as bar:
            yield bar.update
        return
    step = max(total // 10, 1) if total else 20_000_000
    whole = f" of {tqdm.format_sizeof(total)}B" if total else ""
    print(f"downloading {address}{whole}", file=sys.stderr, flush=True)

    def advance(received: int) -> None:
        nonlocal held
        tenth, held = held // step, held + received
        if held // step > tenth:
            print(f"{tqdm.format_sizeof(held)}B{whole}", file=sys.stderr, flush=True)

    yield advance
