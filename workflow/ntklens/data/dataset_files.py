"""The published files of datasets: found in a folder or downloaded, unpacked, and checked by SHA-256.

Checksums are of the unpacked bytes, since mirrors may compress the same file differently.
"""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from typing import Any

from ntklens.data.errors import DatasetError
from ntklens.data.published import PUBLISHED, FileSet
from ntklens.data.regular_files import is_folder, is_regular, reason
from ntklens.storage.files import FilePath

PIECE = 2**20  # bytes
LARGEST = 2**28  # bytes of an unpacked file: five times the largest that was published

# Reads the files with these names from one file, which may be compressed or an archive.
Unpack = Callable[[Path, list[str]], dict[str, bytes]]


@dataclass
class Place:
    """Where a dataset's files come from: the folder ``data_dir`` or, if that is None, the web.

    Files are downloaded to the folder ``downloads``. ``modified`` accepts files with other checksums, from a
    folder only. ``sha256`` collects the digest of every file that is read.
    """

    data_dir: FilePath | None = None
    downloads: Path | None = None
    modified: bool = False
    sha256: dict[str, str] = field(default_factory=dict)


def read_files(file_sets: Sequence[FileSet], place: Place) -> tuple[FileSet, dict[str, bytes]]:
    """The first of ``file_sets`` that ``place`` has, and the bytes of its files by name.

    Raises DatasetError if files are missing, wrong or cannot be downloaded, and ValueError if ``place`` has
    neither ``data_dir`` nor ``downloads``.
    """
    if place.data_dir is not None:
        file_set, found = _from_folder(file_sets, _expanded(place.data_dir), place.modified)
    elif place.modified:
        raise DatasetError(
            f"modified data is never downloaded: put the files of {file_sets[0].title} in a folder and name "
            "it as data_dir in the config"
        )
    elif place.downloads is not None:
        file_set, found = _from_hosts(file_sets, place.downloads)
    else:
        raise ValueError("a Place needs data_dir or downloads")
    place.sha256.update({name: hashlib.sha256(content).hexdigest() for name, content in found.items()})
    return file_set, found


def files_in(data_dir: FilePath, file_sets: Sequence[FileSet]) -> list[Path]:
    """The files that `read_files` reads from the folder ``data_dir``; fewer or none if some are missing."""
    try:
        _, paths = _most_complete(file_sets, _expanded(data_dir))
    except DatasetError:
        return []
    return list(dict.fromkeys(paths.values()))


def _expanded(data_dir: FilePath) -> Path:
    """The path ``data_dir``, in which ~ stands for the user's home."""
    try:
        return Path(data_dir).expanduser()
    except RuntimeError:
        raise DatasetError(f"the home that data_dir {data_dir} starts in is unknown: write it out") from None


def _from_folder(
    file_sets: Sequence[FileSet], data_dir: Path, modified: bool
) -> tuple[FileSet, dict[str, bytes]]:
    """The set of which ``data_dir`` has the most files, and the bytes of these by name."""
    if not is_folder(data_dir):
        raise DatasetError(
            f"the folder {data_dir} does not exist: create it with the files of {file_sets[0].title}, "
            "correct data_dir, or set it to null to download them"
        )
    file_set, paths = _most_complete(file_sets, data_dir)
    missing = [name for name in file_set.digests if name not in paths]
    if missing:
        raise DatasetError(
            f"neither {data_dir} nor its folder {file_set.dataset} has {missing[0]} or "
            f"{file_set.archive or missing[0] + '.gz'}: put it there, or set data_dir to null to download it"
        )
    contents: dict[str, bytes] = {}
    for path in dict.fromkeys(paths.values()):
        names = [name for name in file_set.digests if paths[name] == path]
        unpack = _archived if path.name == file_set.archive else _unpacked
        contents |= _read(path, names, file_set, unpack, modified)
    return file_set, contents


def _most_complete(file_sets: Sequence[FileSet], data_dir: Path) -> tuple[FileSet, dict[str, Path]]:
    """The set of which ``data_dir`` has the most files, the first of several, and their paths."""
    located = [(file_set, _locate(file_set, data_dir)) for file_set in file_sets]
    return max(located, key=lambda one: len(one[1]))


def _locate(file_set: FileSet, data_dir: Path) -> dict[str, Path]:
    """For each file of the set in ``data_dir``, by name, the path of itself, its gzip file or its archive."""
    folders = [data_dir / file_set.dataset, data_dir]
    folders = [inner for folder in folders for inner in (folder / file_set.archive_folder, folder)]
    archives = [folder / file_set.archive for folder in folders] if file_set.archive else []
    paths: dict[str, Path] = {}
    for name in file_set.digests:
        loose = [folder / kind for folder in folders for kind in (name, f"{name}.gz")]
        path = next((path for path in [*loose, *archives] if is_regular(path)), None)
        if path is not None:
            paths[name] = path
    return paths


def _from_hosts(file_sets: Sequence[FileSet], downloads: Path) -> tuple[FileSet, dict[str, bytes]]:
    """The set that a host gives first, and the bytes of its files by name.

    Archives of different formats compete: the hosts of each take turns.
    """
    # Imported by name, so that no rule depends on that module: the bytes are checked, however they got here.
    module = import_module("ntklens.data.download")
    published = [one for one in file_sets if one.hosts]
    folder = downloads / published[0].dataset

    def offer(file_set: FileSet, host: str, package: str, names: list[str]) -> Any:
        unpack = _archived if package == file_set.archive else _unpacked
        read = partial(_read_of_set, names=names, file_set=file_set, unpack=unpack)
        size = file_set.archive_size if package == file_set.archive else None
        return module.Offer(host + package, folder / package, read, size)

    if published[0].archive is None:
        file_set, contents = published[0], dict[str, bytes]()
        for name in file_set.digests:
            offers = [offer(file_set, host, f"{name}.gz", [name]) for host in file_set.hosts]
            contents |= module.download_any(offers)[1]
        return file_set, contents
    rounds = zip_longest(*([(one, host) for host in one.hosts] for one in published))
    in_turn = [pair for of_formats in rounds for pair in of_formats if pair is not None]
    return module.download_any(
        [offer(one, host, str(one.archive), list(one.digests)) for one, host in in_turn]
    )


def _read_of_set(
    path: Path, names: list[str], file_set: FileSet, unpack: Unpack
) -> tuple[FileSet, dict[str, bytes]]:
    """What `_read` reads of original files, with the set that they belong to."""
    return file_set, _read(path, names, file_set, unpack, modified=False)


def _read(
    path: Path, names: list[str], file_set: FileSet, unpack: Unpack, modified: bool
) -> dict[str, bytes]:
    """The bytes of the files ``names``, all from the file ``path`` by ``unpack``, and checked."""
    try:
        contents = unpack(path, names)
    except Exception as error:  # gzip, zlib and tarfile raise different errors for each kind of damage
        raise DatasetError(f"{path} is damaged or unreadable ({reason(error)})", "get it again") from None
    missing = [name for name in names if name not in contents]
    if missing:
        raise DatasetError(f"{path} has no {missing[0]}", f"get {file_set.archive} again")
    for name, content in contents.items():
        _check(path, name, content, file_set, modified)
    return contents


def _unpacked(path: Path, names: list[str]) -> dict[str, bytes]:
    """The only file of ``names``, which is ``path`` itself or compressed in it."""
    with path.open("rb") as file:
        content = _whole(file.read)
    if content[:2] == b"\x1f\x8b":
        with gzip.open(io.BytesIO(content)) as unpacked:
            content = _whole(unpacked.read)
    return {names[0]: content}


def _archived(path: Path, names: list[str]) -> dict[str, bytes]:
    """The members ``names`` of an archive, in any folder of it. Nothing is extracted to disk."""
    contents: dict[str, bytes] = {}
    with gzip.open(path) as unpacked, tarfile.open(fileobj=unpacked) as archive:
        for member in archive:
            name = PurePosixPath(member.name).name
            # Only a regular file has a stream: links and folders are passed over.
            stream = archive.extractfile(member) if member.isreg() and name in names else None
            if stream is not None and name not in contents:
                contents[name] = _whole(stream.read)
            if len(contents) == len(names):
                break
        while unpacked.read(PIECE):  # at its end gzip compares the checksum
            pass
    return contents


def _whole(read: Callable[[int], bytes]) -> bytes:
    """All bytes that ``read`` gives. Raises ValueError if they are more than a dataset's file may have."""
    content = read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"a file of more than {LARGEST} bytes")
    return content


def _check(path: Path, name: str, content: bytes, file_set: FileSet, modified: bool) -> None:
    """Raise DatasetError if ``content`` is another dataset's or, unless ``modified``, not the original."""
    found = hashlib.sha256(content).hexdigest()
    if found == file_set.digests[name]:
        return
    owner = next((other for other in PUBLISHED if found in other.digests.values()), file_set)
    if owner.dataset != file_set.dataset:  # MNIST's and Fashion-MNIST's files have the same names
        raise DatasetError(
            f"{path} is not {file_set.title}'s {name} but a file of {owner.title}",
            f"put {file_set.title}'s files there, or into a folder {file_set.dataset} in data_dir",
        )
    if not modified:
        raise DatasetError(
            f"{path} is not the expected {name} of {file_set.title}, its unpacked bytes have SHA-256 "
            f"{found}, not {file_set.digests[name]}",
            "get the original file again; if it is changed on purpose, append -modified to the dataset's "
            "name in the config, and figures made from it will say so",
        )
