"""Downloads of a file from whichever of its mirrors gives it, at a tolerable speed if one does.

Mirrors are tried in turn. One that is slow (`ntklens.data.transfers`) is left for the next, and what it gave
is kept. If all are slow, the fastest of them goes on.
"""

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import requests

from ntklens.data import transfers
from ntklens.data.errors import DatasetError
from ntklens.data.transfers import FailedError, SlowError, Transfer, discard, part_of
from ntklens.machine.locks import locked

Content = TypeVar("Content")


@dataclass(frozen=True)
class Offer(Generic[Content]):
    """A file at one ``address``, to be kept at ``target``.

    ``read`` returns the content of a file that is the right one, and raises DatasetError on any other. If the
    ``size`` in bytes is given, all hosts of ``target`` have the same bytes: what one gave, another continues.
    """

    address: str
    target: Path
    read: Callable[[Path], Content]
    size: int | None = None

    @property
    def part(self) -> Path:
        """Where the file is kept until it is complete."""
        return part_of(self.target, self.address, self.size)


def download(addresses: Iterable[str], target: Path, read: Callable[[Path], Content]) -> Content:
    """Download ``target`` from one of ``addresses``, and return ``read(target)``, as `download_any`."""
    return download_any([Offer(address, target, read) for address in addresses])


def download_any(offers: Sequence[Offer[Content]]) -> Content:
    """Download one of ``offers``, in the order of preference, and return what its ``read`` does.

    A wrong file is deleted. A target that exists is not downloaded again, and a part of it is resumed. If two
    processes download the same target, the second waits. Raises DatasetError with every address and the
    reason of its failure, and OSError if the disk is full.
    """
    targets = {offer.target: offer for offer in offers}
    offers[0].target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(offers[0].target), requests.Session() as session:
        for target, offer in targets.items():
            if target.exists():
                with contextlib.suppress(DatasetError):
                    return offer.read(target)
                target.unlink()
        content = _from_mirrors(session, offers)
        for offer in offers:
            discard(offer.part)
        return content


def _from_mirrors(session: requests.Session, offers: Sequence[Offer[Content]]) -> Content:
    """The first of ``offers`` that is not slow. If there is none, the fastest that works."""
    failures: dict[str, str] = {}
    speeds: dict[str, float] = {}
    for offer in offers:
        try:
            return _from_mirror(session, offer, transfers.LEAST_SPEED if len(offers) > 1 else 0.0)
        except FailedError as failure:
            failures[offer.address] = str(failure)
            _say(f"{offer.address} failed")
        except SlowError as slow:
            speeds[offer.address] = slow.speed
            _say(f"{offer.address} is {slow}: looking for a faster one")
    slow_ones = [offer for offer in offers if offer.address in speeds]
    for offer in sorted(slow_ones, key=lambda offer: speeds[offer.address], reverse=True):
        _say(f"none is faster: going on with {offer.address}")
        try:
            return _from_mirror(session, offer, least_speed=0.0)
        except FailedError as failure:
            failures[offer.address] = f"{failure}; before, {speeds[offer.address] / 1000:.0f} kB/s"
            _say(f"{offer.address} failed")
    reasons = [f"{offer.address} ({failures[offer.address]})" for offer in offers]
    names = " or ".join(dict.fromkeys(offer.target.name for offer in offers))
    raise DatasetError(
        f"could not download {' or '.join(reasons)}: try again later to resume where it stopped, or get "
        f"{names} by other means, put it in a folder and name the folder as data_dir in the config"
    )


def _from_mirror(session: requests.Session, offer: Offer[Content], least_speed: float) -> Content:
    """Download ``offer`` and read it; a second time if joined pieces do not fit."""
    transfer = Transfer(session, offer.address, offer.part, offer.size, least_speed)
    retried = False
    while True:
        joined = transfer.complete()
        try:
            content = offer.read(offer.part)
        except DatasetError as error:
            discard(offer.part)
            if retried or not joined:
                raise FailedError(f"sent a wrong file: {error.what}") from None
            retried = True  # the pieces may come from different versions of the file
            continue
        offer.part.replace(offer.target)
        return content


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Wait until no other process downloads ``target``. Without locks, checksums find a wrong file."""
    with contextlib.ExitStack() as stack:
        # Some cluster file systems have no locks, and in a shared folder the lock can be another user's.
        with contextlib.suppress(OSError):
            stack.enter_context(locked(target.with_name(target.name + ".lock")))
        yield
