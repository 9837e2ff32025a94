"""The chain of files from a figure to its dataset, each checked against the digest that the next one holds.

All that determines a figure is found on the way: settings, commits, versions of libraries, and the digests of
the dataset's original files. A chain ends early at a file that came from an archive, which holds no runs,
unless its runs are there all the same.
"""

import stat
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ntklens.storage.errors import FileError
from ntklens.storage.files import FilePath, json_sha256, read_json, sha256
from ntklens.storage.identity import described
from ntklens.storage.records import origin_of
from ntklens.storage.sealing import DIGEST_KEY, read_sealed_json

PICTURES = (".pdf", ".png")  # what a figure has beside its JSON file
RESULTS = (".h5", ".json")
RESTORED = "restored.json"  # in a folder of results: which of its files came from an archive
MOST_SHOWN = 12  # different values of one setting


class Link(NamedTuple):
    """One file of a chain. ``origin`` is None if it cannot be read, ``problem`` is empty if all is well."""

    path: Path
    depth: int  # how many steps from the figure
    digest: str  # SHA-256 of the file, as the file that was made from it holds it
    origin: dict[str, Any] | None
    problem: str
    archive: str = ""  # where the file came from, if its runs are elsewhere


def chain_of(figure: FilePath) -> list[Link]:
    """The file ``figure``, and every file behind it, each once and before the files that it was made from.

    ``figure`` is the JSON file of a figure, or its PDF or PNG, of which the JSON file is taken. Any other
    file of the workflow has a chain too.
    """
    path = Path(figure)
    if path.suffix in PICTURES:
        path = path.with_suffix(".json")
    first = _link(path, 0, "", None)
    links = [first]
    if first.origin is not None:
        root = _root(path, first.origin["inputs"])
        problem = first.problem
        if first.origin["kind"] == "figure":
            problem = problem or _problem_of_pictures(path)
        links = [first._replace(problem=problem), *_behind(first, root, {})]
    return links


def _behind(link: Link, root: Path, seen: dict[str, set[str]]) -> Iterator[Link]:
    """The files behind ``link``. ``seen`` has the digests by which each file was compared so far.

    A file is followed once, but compared with every digest that others hold of it: one that was made anew
    since, from which only a part of the chain was made, has two.
    """
    if link.origin is None or link.origin["kind"] == "dataset" or link.archive:
        return
    for name, digest in link.origin["inputs"].items():
        compared = seen.setdefault(name, set())
        if digest in compared:
            continue
        followed = bool(compared)
        compared.add(digest)
        own = _link(root / name, link.depth + 1, digest, root)
        yield own
        if not followed:
            yield from _behind(own, root, seen)


def _link(path: Path, depth: int, digest: str, root: Path | None) -> Link:
    """The file ``path``. The folder ``root`` is that of its inputs; None looks for it (`_root`)."""
    try:
        found, origin = _known(path)
        if not {"kind", "settings", "settings_sha256", "inputs"} <= set(origin):
            return Link(path, depth, digest, None, "it does not say where it comes from")
        inputs = origin["inputs"]
        archive = _archive_of(path, found, inputs, _root(path, inputs) if root is None else root)
    except (FileError, OSError) as error:
        reason = "it is not there" if isinstance(error, FileNotFoundError) else str(error)
        return Link(path, depth, digest, None, reason)
    problem = ""
    if digest and found != digest:
        problem = "it has changed since the next file was made from it"
    elif json_sha256(origin["settings"]) != origin["settings_sha256"]:
        problem = "its settings are not those of their digest"
    return Link(path, depth, digest, origin, problem, archive)


def _archive_of(path: Path, digest: str, inputs: Mapping[str, str], root: Path) -> str:
    """The archive that the file ``path`` with this ``digest`` came from; empty if it was made here.

    An archive of one's own results holds files that are made again, byte by byte, from the runs here. So a
    file was made here if one of its ``inputs`` is here.
    """
    for folder in path.parents:
        if (folder / RESTORED).is_file():
            archives = read_sealed_json(folder / RESTORED).get("archives", {})
            holder = next((name for name, own in archives.items() if digest in own["files"].values()), "")
            made_here = holder and any(_is_here(root / name, own) for name, own in inputs.items())
            return "" if made_here else holder
    return ""


def _is_here(path: Path, digest: str) -> bool:
    """Whether there is a whole file ``path`` with this ``digest``."""
    try:
        return _known(path)[0] == digest
    except (FileError, OSError):
        return False


def _known(path: Path) -> tuple[str, dict[str, Any]]:
    """Digest and origin of the file ``path``: figures share most of their files, which are read once."""
    state = path.stat()
    if not stat.S_ISREG(state.st_mode) or path.suffix not in RESULTS:
        raise FileError(
            f"it is no result of the workflow: those are {' and '.join(RESULTS)} files, and a figure's "
            f"{' and '.join(PICTURES)}"
        )
    return _read(path, state.st_ino, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=10_000)
def _read(path: Path, *state: int) -> tuple[str, dict[str, Any]]:
    """`_known`, of a file in this ``state``."""
    return sha256(path), origin_of(path)


def _root(figure: Path, inputs: Iterable[str]) -> Path:
    """The folder that the paths of ``inputs`` are relative to.

    It is the nearest one around ``figure`` that has any of them, so that a backup is not checked by the files
    of the present folder; that one comes last. A relative path stays relative.
    """
    folders = [*figure.parents, *figure.absolute().parents, *figure.resolve().parents, Path()]
    names = list(inputs)
    return next((own for own in folders if any((own / name).exists() for name in names)), Path())


def _problem_of_pictures(path: Path) -> str:
    """What is wrong with the PDF and the PNG beside a figure's JSON file; empty if nothing is."""
    digest = str(read_json(path)[DIGEST_KEY]).encode()
    for suffix in PICTURES:
        picture = path.with_suffix(suffix)
        if picture.exists() and digest not in picture.read_bytes():
            return f"{picture.name} was drawn from other numbers"
    return ""


def report(links: list[Link]) -> list[str]:
    """What `python -m ntklens trace` prints of a chain."""
    origins = [link.origin for link in links if link.origin is not None]
    lines = [_line(link) for link in links]
    for title, found in (
        ("commits", _commits(origins)),
        ("versions", _versions(origins)),
        ("original files", _originals(origins)),
        ("settings", _settings(origins)),
    ):
        lines += ["", title, *(f"  {line}" for line in found)]
    return [*lines, "", summary(links)]


def summary(links: list[Link]) -> str:
    """The outcome of a check, in one line. A file that was compared twice counts once."""
    broken = [link for link in links if link.problem]
    if not broken:
        archives = ", ".join(dict.fromkeys(link.archive for link in links if link.archive))
        end = f"; those from {archives} without their runs" if archives else ""
        return f"{links[0].path}: all {len(links)} files are what they were{end}"
    first = f"{broken[0].path}: {broken[0].problem}"
    failed, every = ({link.path for link in own} for own in (broken, links))
    return f"{links[0].path}: {len(failed)} of {len(every)} files fail, the first is {first}"


def _line(link: Link) -> str:
    what = described(link.origin) if link.origin is not None else "unknown"
    state = f"FAILS: {link.problem}" if link.problem else f"sha256 {link.digest[:16]}" if link.digest else ""
    source = f"from {link.archive}, without its runs" if link.archive else ""
    return "  ".join(filter(None, (f"{'  ' * link.depth}{link.path}: {what}", source, state)))


def _commits(origins: Iterable[Mapping[str, Any]]) -> list[str]:
    """Each commit, with the kinds of files that it made; one that ends in -modified had changed code."""
    kinds: dict[str, dict[str, None]] = {}
    for origin in origins:
        kinds.setdefault(origin["commit"], {})[origin["kind"]] = None
    return [f"{commit}: {', '.join(own)}" for commit, own in kinds.items()]


def _versions(origins: Iterable[Mapping[str, Any]]) -> list[str]:
    found = sorted(
        {f"{name} {version}" for origin in origins for name, version in origin["versions"].items()}
    )
    return [", ".join(found)]


def _originals(origins: Iterable[Mapping[str, Any]]) -> list[str]:
    """The files that datasets were read from, with their digests, or the package that they come with."""
    lines: list[str] = []
    for origin in origins:
        if origin["kind"] == "dataset":
            name = origin["settings"]["dataset"]
            lines += [f"{name}: {file} {digest}" for file, digest in origin["inputs"].items()]
            if not origin["inputs"]:
                lines.append(f"{name}: comes with a package, see versions")
    return list(dict.fromkeys(lines))


def _settings(origins: Iterable[Mapping[str, Any]]) -> list[str]:
    """The different values of every setting, for each kind of file; digests are left out."""
    by_kind: dict[str, list[Any]] = {}
    for origin in origins:
        by_kind.setdefault(origin["kind"], []).append(origin["settings"])
    lines: list[str] = []
    for kind, own in by_kind.items():
        lines += [kind, *(f"  {key}: {value}" for key, value in values_of_settings(own).items())]
    return lines


def values_of_settings(settings: Iterable[Any]) -> dict[str, str]:
    """The different values of every setting, by the keys that lead to it; digests are left out."""
    found: dict[str, dict[str, None]] = {}
    for own in settings:
        for key, value in _flat(own):
            found.setdefault(key, {})[value] = None
    return {key: _several(values) for key, values in found.items()}


def _several(values: Iterable[str]) -> str:
    shown = list(values)
    more = f", and {len(shown) - MOST_SHOWN} more" if len(shown) > MOST_SHOWN else ""
    return ", ".join(shown[:MOST_SHOWN]) + more


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """The numbers and names in ``value``, each with the keys that lead to it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(inner, f"{key}.{name}" if key else name)
    elif isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        for inner in value:
            yield from _flat(inner, key)
    elif not (isinstance(value, str) and len(value) == 64):
        yield key, " ".join(map(str, value)) if isinstance(value, list) else str(value)
