"""Downloads that survive a bad line: several mirrors, new tries, broken transfers resumed, progress shown."""

import contextlib
import sys
import time
from urllib.parse import urlsplit

import requests
import urllib3
from tqdm import tqdm

from ntklens.data.errors import DatasetError
from ntklens.machine.locks import locked

TRIES = 4  # in a row without a byte gained, then the next mirror is asked
PAUSE = 1.0  # seconds before the second try, doubled before each further one
TIMEOUT = (10, 60)  # seconds to connect, seconds between two pieces
PIECE = 1 << 18
PASSING = (408, 429, 500, 502, 503, 504)  # states of a server that may be gone in a moment


class _FailedError(Exception):
    """A transfer that did not come to its end."""


def download(addresses, target, read):
    """Downloads ``target`` from the first of ``addresses`` that serves. Returns what ``read(target)`` does.

    ``read`` raises DatasetError on a wrong file: what it refuses is not kept. A ``target`` from before is
    not downloaded again, and a part of it (``*.part-*``, one for each host) is resumed. Of two processes
    with the same ``target`` the second waits. Raises DatasetError with every address and why it
    failed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(target), requests.Session() as session:
        if target.exists():
            with contextlib.suppress(DatasetError):
                return read(target)
            target.unlink()
        failures = []
        for address in addresses:
            try:
                return _from_mirror(session, address, target, read)
            except _FailedError as failure:
                print(f"{address} failed", file=sys.stderr, flush=True)
                failures.append(f"{address} ({failure})")
    raise DatasetError(
        f"could not download {' or '.join(failures)}: try again later to go on where it stopped, or get "
        f"{target.name} by other means, put it in a folder and name the folder as data_dir in the config"
    )


def _from_mirror(session, address, target, read):
    part = target.with_name(f"{target.name}.part-{urlsplit(address).netloc.replace(':', '-')}")
    for last in (False, True):
        joined = _transfer(session, address, part)
        try:
            content = read(part)
        except DatasetError as error:
            _discard(part)
            if last or not joined:
                raise _FailedError(f"sent a wrong file: {error.what}") from None
            continue  # its pieces may have been of different files
        part.replace(target)
        _validator(part).unlink(missing_ok=True)
        return content


def _transfer(session, address, part):
    """Completes the file ``part`` from ``address``, in as many tries as it takes while bytes are gained.

    Returns True where it was put together from several transfers.
    """
    longest, failed = _size(part), 0
    while True:
        try:
            return _receive(session, address, part)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            answer = getattr(error, "response", None)
            if answer is not None and answer.status_code not in PASSING:
                raise _FailedError(error) from None
            reason = error
        failed = 1 if _size(part) > longest else failed + 1
        longest = max(longest, _size(part))
        if failed == TRIES:
            raise _FailedError(reason) from None
        time.sleep(PAUSE * 2 ** (failed - 1))


def _receive(session, address, part):
    """Tries once: appends what ``part`` lacks, or writes it anew where the server cannot resume.

    Returns True where it appended.
    """
    held = _size(part)
    # Identity: a server that packs or unpacks on the way would count other bytes than it sends.
    headers = {"Accept-Encoding": "identity"}
    if held:
        headers["Range"] = f"bytes={held}-"
        if _validator(part).exists():
            headers["If-Range"] = _validator(part).read_text()
    with session.get(address, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if answer.status_code == 416:  # nothing beyond what is held: complete, or not of this file
            if answer.headers.get("Content-Range") == f"bytes */{held}":
                return True
            _discard(part)
            raise OSError(f"part of {held} bytes does not fit the file")
        answer.raise_for_status()
        if answer.status_code != 206:
            held = 0
        elif not answer.headers.get("Content-Range", "").startswith(f"bytes {held}-"):
            _discard(part)
            raise OSError("the server sent another range than asked for")
        _note_validator(answer, part)
        length = answer.headers.get("Content-Length", "")
        total = held + int(length) if length.isdecimal() else None
        with part.open("ab" if held else "wb") as file, _progress(address, held, total) as advance:
            for piece in answer.raw.stream(PIECE, decode_content=False):
                file.write(piece)
                advance(len(piece))
    return held > 0


def _validator(part):
    """The file that keeps by which tag the server knows the version that ``part`` is of."""
    return part.with_name(part.name + ".tag")


def _note_validator(answer, part):
    tag = answer.headers.get("ETag", "")
    if not tag or tag.startswith("W/"):  # a weak one does not promise the same bytes
        tag = answer.headers.get("Last-Modified")
    if tag:
        _validator(part).write_text(tag)
    else:
        _validator(part).unlink(missing_ok=True)


def _discard(part):
    part.unlink(missing_ok=True)
    _validator(part).unlink(missing_ok=True)


def _size(path):
    return path.stat().st_size if path.exists() else 0


@contextlib.contextmanager
def _alone(target):
    """Waits until no other process is at ``target``, where locks can be had: else checksums still tell."""
    with contextlib.ExitStack() as stack:
        # Some cluster file systems have no locks, and the lock in a shared folder may be another user's.
        with contextlib.suppress(OSError):
            stack.enter_context(locked(target.with_name(target.name + ".lock")))
        yield


@contextlib.contextmanager
def _progress(address, held, total):
    """A function to call with every number of bytes: a bar on a terminal, a line for each tenth in a log."""
    if sys.stderr.isatty():
        name = address.rsplit("/", 1)[-1]
        with tqdm(total=total, initial=held, unit="B", unit_scale=True, desc=name) as bar:
            yield bar.update
        return
    step = max(total // 10, 1) if total else 20_000_000
    whole = f" of {tqdm.format_sizeof(total)}B" if total else ""
    print(f"downloading {address}{whole}", file=sys.stderr, flush=True)

    def advance(received):
        nonlocal held
        tenth, held = held // step, held + received
        if held // step > tenth:
            print(f"{tqdm.format_sizeof(held)}B{whole}", file=sys.stderr, flush=True)

    yield advance
