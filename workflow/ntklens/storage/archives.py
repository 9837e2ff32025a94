"""Archives of results: a zip file of a workflow's files, with a manifest that holds the digest of each.

manifest.json    under ``files`` the `Entry` of each, under ``about`` what the archive is; a digest of both
config.yaml …    the files, named as below the folder of their results

The same files give the same bytes, with the same zlib. Nothing is taken from an archive by a name that only
the archive gives, and nothing that its manifest does not announce.
"""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ntklens.storage.errors import DamagedFileError, FileError, OtherFileError
from ntklens.storage.files import FilePath, json_sha256, whole_file
from ntklens.storage.records import origin_of
from ntklens.storage.sealing import DIGEST_KEY

MANIFEST, CONFIG = "manifest.json", "config.yaml"
FORMAT = 1
MOST_BYTES = 2**26  # of one file in an archive, 64 MiB
RECORDS = (".h5", ".json")  # files that say where they come from
DATE = (1980, 1, 1, 0, 0, 0)  # the first that the format knows: the time of packing is no result
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
)


class Entry(NamedTuple):
    """One file of an archive; ``kind`` and ``made_with`` (a digest of settings) are empty for no record."""

    sha256: str
    bytes: int
    kind: str = ""
    made_with: str = ""


class Manifest(NamedTuple):
    """What the archive ``path`` holds."""

    path: Path
    about: dict[str, Any]
    files: dict[str, Entry]

    def entry(self, name: str) -> Entry:
        """Raises OtherFileError if the archive has no file of this name."""
        if name not in self.files:
            raise OtherFileError(f"{self.path} holds no {name}")
        return self.files[name]


def write_archive(
    path: FilePath, files: Mapping[str, FilePath], texts: Mapping[str, str], about: Mapping[str, Any]
) -> None:
    """Pack ``files`` (name in the archive -> path) and ``texts`` (name -> text) into a new archive.

    Raises FileError if a record among the files is damaged or a file is too large, before anything is
    written, and OSError if one cannot be read.
    """
    for own in files.values():
        _check_size(own, Path(own).stat().st_size)
    found = {name: (Path(own).read_bytes(), _origin(own)) for name, own in files.items()}
    found |= {name: (text.encode(), {}) for name, text in texts.items()}
    entries = {name: _entry(content, origin) for name, (content, origin) in sorted(found.items())}
    manifest = {"about": {"format": FORMAT, **about}, "files": {n: e._asdict() for n, e in entries.items()}}
    sealed = {**manifest, DIGEST_KEY: json_sha256(manifest)}
    contents = {MANIFEST: json.dumps(sealed, indent=1, allow_nan=False).encode()}
    contents |= {name: content for name, (content, _) in sorted(found.items())}
    for name, content in contents.items():
        _check_size(f"{name} of {path}", len(content))
    with whole_file(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, content in contents.items():
            _add(archive, name, content)


def _check_size(file: FilePath, size: int) -> None:
    """Raise FileError if ``file`` is larger than what `read_file` gives back."""
    if size > MOST_BYTES:
        raise FileError(
            f"{file} is too large for an archive, {size:,} bytes where {MOST_BYTES:,} are allowed: share the "
            "folder of results itself, or make them anew with fewer scales, seeds or epochs of spectra"
        )


def _origin(path: FilePath) -> Mapping[str, Any]:
    return origin_of(path) if Path(path).suffix in RECORDS else {}


def _entry(content: bytes, origin: Mapping[str, Any]) -> Entry:
    kind, made_with = origin.get("kind", ""), origin.get("settings_sha256", "")
    return Entry(hashlib.sha256(content).hexdigest(), len(content), kind, made_with)


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    own = zipfile.ZipInfo(name, DATE)
    own.external_attr = 0o644 << 16  # what unzip gives the file
    archive.writestr(own, content, zipfile.ZIP_DEFLATED, 9)


def read_manifest(path: FilePath) -> Manifest:
    """What the archive ``path`` holds. Raises FileError if it is damaged or no archive of results."""
    with _opened(path) as archive:
        content = _content(archive, MANIFEST, MOST_BYTES)
    try:
        manifest = json.loads(content)
        digest = manifest.pop(DIGEST_KEY)
        if digest != json_sha256(manifest):
            raise DamagedFileError(f"{path} is damaged: {MANIFEST} in it is not what was written")
        about = manifest["about"]
        if about["format"] != FORMAT:
            raise OtherFileError(f"{path} was written by another version of ntk-lens")
        files = {name: Entry(**own) for name, own in manifest["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise OtherFileError(
            f"{path} is no archive of ntk-lens: {MANIFEST} in it says something else"
        ) from None
    return Manifest(Path(path), about, files)


def read_file(manifest: Manifest, name: str) -> bytes:
    """The bytes of the file ``name`` in an archive.

    Raises FileError if the archive does not have it, or not as its manifest announces it, or if it is too
    large.
    """
    entry = manifest.entry(name)
    if entry.bytes > MOST_BYTES:
        raise FileError(
            f"{manifest.path}: {name} in it is too large, {entry.bytes:,} bytes where {MOST_BYTES:,} are read"
        )
    with _opened(manifest.path) as archive:
        content = _content(archive, name, entry.bytes)
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise DamagedFileError(f"{manifest.path} is damaged: {name} in it is not what was written")
    return content


def extract(manifest: Manifest, name: str, path: FilePath) -> None:
    """Write the file ``name`` of an archive to ``path``. Raises as `read_file`."""
    content = read_file(manifest, name)
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


@contextmanager
def _opened(path: FilePath) -> Iterator[zipfile.ZipFile]:
    """The zip file ``path``. Raises FileError if it is damaged or none."""
    if not Path(path).is_file():
        raise FileError(f"{path} is no file" if Path(path).exists() else f"{path} is not there")
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if len(set(names)) < len(names):
                raise OtherFileError(f"{path} is no archive of ntk-lens: it holds two files of one name")
            yield archive
    except UNREADABLE as error:
        raise DamagedFileError(f"{path} is damaged, or no archive of ntk-lens ({_one_line(error)})") from None


def _content(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """At most ``most`` bytes of a file, and one more if it is longer: few bytes can unpack to very many."""
    if name not in archive.namelist():
        raise OtherFileError(f"{archive.filename} holds no {name}")
    with archive.open(name) as file:
        return file.read(most + 1)


def _one_line(error: Exception) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in str(error) or type(error).__name__)[:200]
