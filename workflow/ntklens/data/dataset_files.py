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
from pathlib import Path, PurePosixPath

from ntklens.data.errors import DatasetError
from ntklens.data.regular_files import is_folder, is_regular, reason
from ntklens.storage.files import FilePath

PIECE = 2**20  # bytes
LARGEST = 2**28  # bytes of an unpacked file: five times the largest that was published

# Reads the files with these names from one file, which may be compressed or an archive.
Unpack = Callable[[Path, list[str]], dict[str, bytes]]


@dataclass(frozen=True)
class FileSet:
    """The files of one dataset in one format. ``digests`` has the SHA-256 of each file by name.

    They are published one by one, compressed by gzip, or together as ``archive``, which unpacks to
    ``archive_folder``. ``hosts`` are the URLs of the folders that have them, the usual one first; a format
    without hosts is only read from folders.
    """

    dataset: str
    title: str
    digests: dict[str, str]
    hosts: tuple[str, ...] = ()
    archive: str | None = None
    archive_folder: str = ""


MNIST = FileSet(
    dataset="mnist",
    title="MNIST",
    digests={
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    hosts=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
)
FASHION_MNIST = FileSet(
    dataset="fashion-mnist",
    title="Fashion-MNIST",
    digests={
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
    hosts=(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
)
CIFAR_10_BINARY = FileSet(
    dataset="cifar-10",
    title="CIFAR-10",
    digests={
        "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
        "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
        "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
        "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
        "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
        "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
    },
    hosts=(
        "https://www.cs.toronto.edu/~kriz/",
        "https://cave.cs.toronto.edu/kriz/",
        "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/",
    ),
    archive="cifar-10-binary.tar.gz",
    archive_folder="cifar-10-batches-bin",
)
CIFAR_10_PYTHON = FileSet(
    dataset="cifar-10",
    title="CIFAR-10",
    digests={
        "data_batch_1": "54636561a3ce25bd3e19253c6b0d8538147b0ae398331ac4a2d86c6d987368cd",
        "data_batch_2": "766b2cef9fbc745cf056b3152224f7cf77163b330ea9a15f9392beb8b89bc5a8",
        "data_batch_3": "0f00d98ebfb30b3ec0ad19f9756dc2630b89003e10525f5e148445e82aa6a1f9",
        "data_batch_4": "3f7bb240661948b8f4d53e36ec720d8306f5668bd0071dcb4e6c947f78e9682b",
        "data_batch_5": "d91802434d8376bbaeeadf58a737e3a1b12ac839077e931237e0dcd43adcb154",
        "test_batch": "f53d8d457504f7cff4ea9e021afcf0e0ad8e24a91f3fc42091b8adef61157831",
    },
    archive="cifar-10-python.tar.gz",
    archive_folder="cifar-10-batches-py",
)


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
    located = [(file_set, _locate(file_set, data_dir)) for file_set in file_sets]
    file_set, paths = max(located, key=lambda one: len(one[1]))  # the first if several have as many
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
    """The first set that has hosts, and the bytes of its files by name."""
    # Imported by name, so that no rule depends on that module: the bytes are checked, however they got here.
    download = import_module("ntklens.data.download").download
    file_set = next(one for one in file_sets if one.hosts)
    folder = downloads / file_set.dataset
    packages: dict[str, list[str]]
    unpack: Unpack
    if file_set.archive:
        packages, unpack = {file_set.archive: list(file_set.digests)}, _archived
    else:
        packages, unpack = {f"{name}.gz": [name] for name in file_set.digests}, _unpacked
    contents: dict[str, bytes] = {}
    for package, names in packages.items():
        addresses = [host + package for host in file_set.hosts]
        read = partial(_read, names=names, file_set=file_set, unpack=unpack, modified=False)
        contents |= download(addresses, folder / package, read)
    return file_set, contents


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


PUBLISHED = (MNIST, FASHION_MNIST, CIFAR_10_BINARY, CIFAR_10_PYTHON)
