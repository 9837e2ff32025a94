"""Downloads over unreliable connections: several mirrors, retries, resumed transfers, visible progress."""

import contextlib
import errno
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import requests
import urllib3
from tqdm import tqdm

from ntklens.data.errors import DatasetError
from ntklens.machine.locks import locked

TRIES = 4  # in a row without a new byte; then the next mirror is tried
PAUSE = 1.0  # seconds before the second try, doubled before each further one
TIMEOUT = (10, 60)  # seconds to connect, seconds between two pieces
PIECE = 1 << 18  # bytes
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # no other try or mirror helps
PASSING = (408, 429, 500, 502, 503, 504)  # HTTP status codes of temporary problems

Content = TypeVar("Content")


class _FailedError(Exception):
    """A transfer failed for good. The message says why."""


def download(addresses: Iterable[str], target: Path, read: Callable[[Path], Content]) -> Content:
    """Download ``target`` from the first of ``addresses`` that works, and return ``read(target)``.

    ``read`` raises DatasetError on a wrong file, which is then deleted. An existing ``target`` is not
    downloaded again, and a part of it (``*.part-*``, one for each host) is resumed. If two processes download
    the same ``target``, the second waits. Raises DatasetError with every address and the reason of its
    failure, and OSError if the disk is full.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(target), requests.Session() as session:
        if target.exists():
            with contextlib.suppress(DatasetError):
                return read(target)
            target.unlink()
        failures: list[str] = []
        for address in addresses:
            try:
                return _from_mirror(session, address, target, read)
            except _FailedError as failure:
                print(f"{address} failed", file=sys.stderr, flush=True)
                failures.append(f"{address} ({failure})")
    raise DatasetError(
        f"could not download {' or '.join(failures)}: try again later to resume where it stopped, or get "
        f"{target.name} by other means, put it in a folder and name the folder as data_dir in the config"
    )


def _from_mirror(
    session: requests.Session, address: str, target: Path, read: Callable[[Path], Content]
) -> Content:
    """Download ``target`` from ``address`` and read it; a second time if joined pieces do not fit."""
    part = target.with_name(f"{target.name}.part-{urlsplit(address).netloc.replace(':', '-')}")
    retried = False
    while True:
        joined = _transfer(session, address, part)
        try:
            content = read(part)
        except DatasetError as error:
            _discard(part)
            if retried or not joined:
                raise _FailedError(f"sent a wrong file: {error.what}") from None
            retried = True  # the pieces may come from different versions of the file
            continue
        part.replace(target)
        _validator(part).unlink(missing_ok=True)
        return content


def _transfer(session: requests.Session, address: str, part: Path) -> bool:
    """Complete the file ``part`` from ``address``, retrying as long as new bytes arrive.

    Returns whether the file was put together from several transfers.
    """
    longest, failed = _size(part), 0
    while True:
        try:
            return _receive(session, address, part)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            if getattr(error, "errno", None) in NO_ROOM:
                raise
            answer = getattr(error, "response", None)
            if answer is not None and answer.status_code not in PASSING:
                raise _FailedError(str(error)) from None
            reason = str(error)
        failed = 1 if _size(part) > longest else failed + 1
        longest = max(longest, _size(part))
        if failed == TRIES:
            raise _FailedError(reason) from None
        time.sleep(PAUSE * 2 ** (failed - 1))


def _receive(session: requests.Session, address: str, part: Path) -> bool:
    """Try once to append what ``part`` lacks, or to write it anew if the server cannot resume.

    Returns whether it appended.
    """
    held = _size(part)
    # Without compression in transit: its byte counts would differ from the file's.
    headers = {"Accept-Encoding": "identity"}
    if held:
        headers["Range"] = f"bytes={held}-"
        if _validator(part).exists():
            headers["If-Range"] = _validator(part).read_text(encoding="utf-8")
    with session.get(address, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        # No bytes follow those we have: the part is complete, or belongs to another file.
        if answer.status_code == 416:
            if answer.headers.get("Content-Range") == f"bytes */{held}":
                return True
            _discard(part)
            raise OSError(f"part of {held} bytes does not fit the file")
        answer.raise_for_status()
        if answer.status_code != 206:
            held = 0
        elif not answer.headers.get("Content-Range", "").startswith(f"bytes {held}-"):
            _discard(part)
            raise OSError("the server sent another range than requested")
        _note_validator(answer, part)
        length = answer.headers.get("Content-Length", "")
        total = held + int(length) if length.isdecimal() else None
        with part.open("ab" if held else "wb") as file, _progress(address, held, total) as advance:
            for piece in answer.raw.stream(PIECE, decode_content=False):
                file.write(piece)
                advance(len(piece))
    return held > 0


def _validator(part: Path) -> Path:
    """The path of the file with the server's tag for the version that ``part`` belongs to."""
    return part.with_name(part.name + ".tag")


def _note_validator(answer: requests.Response, part: Path) -> None:
    """Save the tag that ``answer`` gives for the version of the file."""
    tag: str | None = answer.headers.get("ETag", "")
    if not tag or tag.startswith("W/"):  # a weak one does not promise the same bytes
        tag = answer.headers.get("Last-Modified")
    if tag:
        _validator(part).write_text(tag, encoding="utf-8")
    else:
        _validator(part).unlink(missing_ok=True)


def _discard(part: Path) -> None:
    """Delete ``part`` and its tag."""
    part.unlink(missing_ok=True)
    _validator(part).unlink(missing_ok=True)


def _size(path: Path) -> int:
    """The size of a file in bytes; 0 if it does not exist."""
    return path.stat().st_size if path.exists() else 0


@contextlib.contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Wait until no other process downloads ``target``. Without locks, checksums find a wrong file."""
    with contextlib.ExitStack() as stack:
        # Some cluster file systems have no locks, and in a shared folder the lock can be another user's.
        with contextlib.suppress(OSError):
            stack.enter_context(locked(target.with_name(target.name + ".lock")))
        yield


@contextlib.contextmanager
def _progress(address: str, held: int, total: int | None) -> Iterator[Callable[[int], object]]:
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
