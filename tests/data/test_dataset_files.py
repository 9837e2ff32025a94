import gzip
import hashlib
import http.server
import os
import re
import tarfile
import threading
from dataclasses import replace
from functools import partial

import pytest
from ntklens.data import dataset_files, published, transfers
from ntklens.data.dataset_files import Place, files_in, read_files
from ntklens.data.errors import DatasetError

from tests.support.tiny_files import (
    FASHION_FILES,
    MNIST_FILES,
    PICKLE_FILES,
    RECORD_FILES,
    TINY_BINARY,
    TINY_FASHION,
    TINY_MNIST,
    TINY_PUBLISHED,
    TINY_PYTHON,
    tar_gz,
)

CIFAR = [TINY_BINARY, TINY_PYTHON]


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    monkeypatch.setattr(dataset_files, "PUBLISHED", TINY_PUBLISHED)
    monkeypatch.setattr(transfers, "PAUSE", 0.001)


def put(folder, files, packed=False):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(content) if packed else content)
    return folder


def put_archive(folder, name, files, inside):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(tar_gz({f"{inside}/{file}": content for file, content in files.items()}))
    return path


def found(file_sets, data_dir, modified=False):
    """The file set that is found, and its files by name."""
    file_set, contents = read_files(file_sets, Place(data_dir, modified=modified))
    return file_set, dict(sorted(contents.items()))


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("inside", ["", "mnist"])
def test_idx_files_are_found(tmp_path, packed, inside):
    put(tmp_path / inside, MNIST_FILES, packed)
    assert found([TINY_MNIST], tmp_path)[1] == dict(sorted(MNIST_FILES.items()))


def test_folder_is_told_as_text_with_a_tilde(tmp_path, monkeypatch):
    put(tmp_path / "data", MNIST_FILES)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert found([TINY_MNIST], "~/data")[1]["t10k-labels-idx1-ubyte"]


def test_own_folders_keep_datasets_with_the_same_names_apart(tmp_path):
    put(tmp_path / "mnist", MNIST_FILES)
    put(tmp_path / "fashion-mnist", FASHION_FILES, packed=True)
    assert found([TINY_MNIST], tmp_path)[1] == dict(sorted(MNIST_FILES.items()))
    assert found([TINY_FASHION], tmp_path)[1] == dict(sorted(FASHION_FILES.items()))


def test_every_file_is_noted_with_the_digest_of_its_unpacked_bytes(tmp_path):
    place = Place(put(tmp_path, MNIST_FILES, packed=True))
    read_files([TINY_MNIST], place)
    assert place.sha256 == {name: hashlib.sha256(data).hexdigest() for name, data in MNIST_FILES.items()}


@pytest.mark.parametrize("inside", ["", "cifar-10"])
@pytest.mark.parametrize(
    ("file_set", "files"),
    [(TINY_BINARY, RECORD_FILES), (TINY_PYTHON, PICKLE_FILES)],
    ids=["binary", "python"],
)
@pytest.mark.parametrize("kind", ["loose", "unpacked archive", "archive"])
def test_cifar_is_found(tmp_path, inside, file_set, files, kind):
    folder = tmp_path / inside
    if kind == "archive":
        put_archive(folder, file_set.archive, files, file_set.archive_folder)
    else:
        put(folder / ("" if kind == "loose" else file_set.archive_folder), files)
    assert found(CIFAR, tmp_path) == (file_set, files)


def test_binary_version_is_preferred_where_both_are_whole(tmp_path):
    put(tmp_path, PICKLE_FILES)
    put(tmp_path, RECORD_FILES)
    assert found(CIFAR, tmp_path)[0] is TINY_BINARY


def test_whole_python_version_is_preferred_to_a_part_of_the_binary_one(tmp_path):
    put(tmp_path, PICKLE_FILES)
    put(tmp_path, {"data_batch_1.bin": RECORD_FILES["data_batch_1.bin"]})
    assert found(CIFAR, tmp_path)[0] is TINY_PYTHON


def test_missing_folder_raises_and_says_what_to_do(tmp_path):
    with pytest.raises(
        DatasetError, match=r"nowhere does not exist: create it with the files of MNIST.*null"
    ):
        found([TINY_MNIST], tmp_path / "nowhere")


def test_missing_file_raises_and_names_it(tmp_path):
    put(tmp_path / "mnist", MNIST_FILES, packed=True)
    (tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    expected = (
        r"has t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte\.gz: put it there, or set data_dir to null"
    )
    with pytest.raises(DatasetError, match=expected):
        found([TINY_MNIST], tmp_path)


def test_missing_cifar_batch_raises_and_names_it_and_the_archive(tmp_path):
    put(tmp_path, RECORD_FILES)
    (tmp_path / "data_batch_4.bin").unlink()
    with pytest.raises(
        DatasetError, match=r"has data_batch_4\.bin or cifar-10-binary\.tar\.gz: put it there"
    ):
        found(CIFAR, tmp_path)


def test_wrong_checksum_raises_and_names_both_digests(tmp_path):
    name = "t10k-images-idx3-ubyte"
    other = MNIST_FILES[name][:-1] + b"\xff"
    put(tmp_path, MNIST_FILES | {name: other})
    with pytest.raises(
        DatasetError, match=f"not the expected {name} of MNIST.*again; if .*-modified"
    ) as caught:
        found([TINY_MNIST], tmp_path)
    assert hashlib.sha256(other).hexdigest() in str(caught.value)
    assert hashlib.sha256(MNIST_FILES[name]).hexdigest() in str(caught.value)


def test_wrong_checksum_inside_an_archive_raises_and_names_archive_and_file(tmp_path):
    files = RECORD_FILES | {"data_batch_2.bin": bytes(100)}
    put_archive(tmp_path, "cifar-10-binary.tar.gz", files, "cifar-10-batches-bin")
    with pytest.raises(
        DatasetError, match=r"binary\.tar\.gz is not the expected data_batch_2\.bin of CIFAR-10"
    ):
        found(CIFAR, tmp_path)


@pytest.mark.parametrize("modified", [False, True])
def test_file_of_another_dataset_with_the_same_name_raises_and_says_whose_it_is(tmp_path, modified):
    put(tmp_path, FASHION_FILES, packed=True)
    expected = (
        r"train-images-idx3-ubyte\.gz is not MNIST's .* but a file of Fashion-MNIST: put .* folder mnist"
    )
    with pytest.raises(DatasetError, match=expected):
        found([TINY_MNIST], tmp_path, modified)


def test_foreign_file_raises(tmp_path):
    put(tmp_path, MNIST_FILES | {"train-images-idx3-ubyte": b"<html>not found</html>"})
    with pytest.raises(DatasetError, match=r"not the expected train-images-idx3-ubyte.*original file again"):
        found([TINY_MNIST], tmp_path)


def damaged(how):
    packed = bytearray(gzip.compress(MNIST_FILES["train-labels-idx1-ubyte"]))
    if how == "truncated":
        return packed[:-6]
    if how == "wrong crc":
        packed[-8] ^= 0xFF
    else:
        packed[10] = 0xFF  # the first byte behind the header: no such block type
    return packed


@pytest.mark.parametrize("how", ["truncated", "wrong crc", "in the middle"])
def test_damaged_gzip_raises_and_says_what_to_do(tmp_path, how):
    put(tmp_path, MNIST_FILES, packed=True)
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(damaged(how))
    with pytest.raises(DatasetError, match=r"train-labels-idx1-ubyte\.gz is damaged .*: get it again"):
        found([TINY_MNIST], tmp_path)


@pytest.mark.parametrize("kept", [0, 5, 1000, 200_000, -5000])
@pytest.mark.parametrize("modified", [False, True])
def test_truncated_archive_raises_and_says_what_to_do(tmp_path, kept, modified):
    path = put_archive(tmp_path, "cifar-10-binary.tar.gz", RECORD_FILES, "cifar-10-batches-bin")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DatasetError, match=r"cifar-10-binary\.tar\.gz (is damaged|has no).*get .* again"):
        found(CIFAR, tmp_path, modified)


@pytest.mark.parametrize("packed", [True, False])
def test_file_too_large_for_a_dataset_raises(tmp_path, monkeypatch, packed):
    monkeypatch.setattr(dataset_files, "LARGEST", 10_000)
    put(tmp_path, MNIST_FILES | {"train-labels-idx1-ubyte": bytes(10_001)}, packed)
    expected = r"train-labels-idx1-ubyte(\.gz)? is damaged or unreadable \(a file of more than 10000 bytes\)"
    with pytest.raises(DatasetError, match=expected):
        found([TINY_MNIST], tmp_path, modified=True)


def test_member_too_large_for_a_dataset_raises(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset_files, "LARGEST", 10_000)
    put_archive(tmp_path, "cifar-10-binary.tar.gz", RECORD_FILES, "cifar-10-batches-bin")
    with pytest.raises(DatasetError, match=r"a file of more than 10000 bytes"):
        found(CIFAR, tmp_path, modified=True)


def test_a_changed_byte_of_an_archive_raises(tmp_path):
    """It lies in the images, and what gzip knows of them stands at the archive's end."""
    path = put_archive(tmp_path, "cifar-10-binary.tar.gz", RECORD_FILES, "cifar-10-batches-bin")
    plain = gzip.decompress(path.read_bytes())
    packed = gzip.compress(plain, 0)  # stored, so that the change damages nothing else
    image = RECORD_FILES["data_batch_2.bin"][1000:1050]
    assert packed.count(image) == 1
    path.write_bytes(packed.replace(image, image[::-1]))
    with pytest.raises(DatasetError, match=r"is damaged or unreadable \(CRC check failed"):
        found(CIFAR, tmp_path, modified=True)


def test_foreign_archive_raises(tmp_path):
    put(tmp_path, {"cifar-10-python.tar.gz": b"<html>not found</html>"})
    with pytest.raises(DatasetError, match=r"cifar-10-python\.tar\.gz is damaged .*: get it again"):
        found(CIFAR, tmp_path)


def test_archive_without_a_file_raises_and_names_it(tmp_path):
    files = {name: content for name, content in RECORD_FILES.items() if name != "test_batch.bin"}
    put_archive(tmp_path, "cifar-10-binary.tar.gz", files, "cifar-10-batches-bin")
    with pytest.raises(DatasetError, match=r"has no test_batch\.bin: get cifar-10-binary\.tar\.gz again"):
        found(CIFAR, tmp_path)


def test_paths_and_links_in_an_archive_lead_nowhere(tmp_path):
    """Members are found by their base name, links are ignored, and nothing is written."""
    secret = tmp_path / "secret"
    secret.write_text("not for figures", encoding="utf-8")
    folder = tmp_path / "data"
    path = put_archive(folder, "cifar-10-binary.tar.gz", RECORD_FILES, "../../elsewhere")
    assert found(CIFAR, folder) == (TINY_BINARY, RECORD_FILES)
    with tarfile.open(path, "w:gz") as archive:
        for name in RECORD_FILES:
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, str(secret)
            archive.addfile(link)
    with pytest.raises(DatasetError, match=r"has no data_batch_1\.bin"):
        found(CIFAR, folder, modified=True)
    assert sorted(os.listdir(tmp_path)) == ["data", "secret"]  # noqa: PTH208


def test_modified_files_are_taken_and_their_digests_noted(tmp_path):
    changed = RECORD_FILES | {"data_batch_2.bin": RECORD_FILES["data_batch_2.bin"][::-1]}
    place = Place(put(tmp_path, changed), modified=True)
    assert read_files(CIFAR, place)[1] == changed
    assert place.sha256["data_batch_2.bin"] == hashlib.sha256(changed["data_batch_2.bin"]).hexdigest()


def test_files_in_a_folder_are_those_that_are_read(tmp_path):
    packed = put_archive(tmp_path / "data", CIFAR[0].archive, RECORD_FILES, "inside")
    assert files_in(tmp_path / "data", CIFAR) == [packed]
    put(tmp_path / "loose", RECORD_FILES)
    assert sorted(path.name for path in files_in(tmp_path / "loose", CIFAR)) == sorted(RECORD_FILES)
    assert files_in(tmp_path / "nowhere", CIFAR) == files_in("~nobody.here/x", CIFAR) == []


def test_modified_files_are_never_downloaded(tmp_path):
    with pytest.raises(
        DatasetError, match=r"never downloaded: put the files of CIFAR-10 in a folder.*data_dir"
    ):
        read_files(CIFAR, Place(downloads=tmp_path, modified=True))
    assert list(tmp_path.iterdir()) == []


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def host(tmp_path, monkeypatch):
    """The address of a local server for the folder tmp_path/host."""
    (tmp_path / "host").mkdir()
    handler = partial(QuietHandler, directory=tmp_path / "host")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_idx_files_are_downloaded_one_by_one(tmp_path, host):
    put(tmp_path / "host", MNIST_FILES, packed=True)
    place = Place(downloads=tmp_path / "downloads")
    assert read_files([replace(TINY_MNIST, hosts=(host,))], place)[1] == MNIST_FILES
    assert place.sha256.keys() == MNIST_FILES.keys()


def test_datasets_with_the_same_names_are_downloaded_apart(tmp_path, host):
    for name, file_set, files in (("m", TINY_MNIST, MNIST_FILES), ("f", TINY_FASHION, FASHION_FILES)):
        put(tmp_path / "host" / name, files, packed=True)
        one = replace(file_set, hosts=(f"{host}{name}/",))
        assert read_files([one], Place(downloads=tmp_path / "downloads"))[1] == files


@pytest.mark.parametrize("order", [1, -1])
def test_cifar_is_downloaded_once_in_the_format_that_has_hosts(tmp_path, host, order):
    put_archive(tmp_path / "host", "cifar-10-binary.tar.gz", RECORD_FILES, "cifar-10-batches-bin")
    binary = replace(TINY_BINARY, hosts=(host,))
    for _ in range(2):
        file_sets = [binary, TINY_PYTHON][::order]
        assert read_files(file_sets, Place(downloads=tmp_path / "downloads")) == (binary, RECORD_FILES)
        (tmp_path / "host" / "cifar-10-binary.tar.gz").unlink(missing_ok=True)


def test_formats_of_cifar_compete(tmp_path, host):
    """The hosts of the formats are asked in turn; the second of the Python format has it."""
    asked = tmp_path / "host" / "second" / "cifar-10-python.tar.gz"
    put_archive(asked.parent, asked.name, PICKLE_FILES, "cifar-10-batches-py")
    binary = replace(TINY_BINARY, hosts=(f"{host}missing/", f"{host}gone/"))
    python = replace(
        TINY_PYTHON, hosts=(f"{host}first/", f"{host}second/"), archive_size=asked.stat().st_size
    )
    for _ in range(2):
        found = read_files([binary, python], Place(downloads=tmp_path / "downloads"))
        assert found == (python, PICKLE_FILES)
        asked.unlink(missing_ok=True)


def test_error_names_every_host_of_every_format(tmp_path, host):
    binary = replace(TINY_BINARY, hosts=(f"{host}a/", f"{host}c/"))
    python = replace(TINY_PYTHON, hosts=(f"{host}b/",), archive_size=100)
    with pytest.raises(DatasetError) as caught:
        read_files([binary, python], Place(downloads=tmp_path / "downloads"))
    packages = [
        f"{one}/cifar-10-{kind}.tar.gz" for one, kind in (("a", "binary"), ("b", "python"), ("c", "binary"))
    ]
    assert re.search(".*404.*".join(map(re.escape, packages)), str(caught.value))
    assert "get cifar-10-binary.tar.gz or cifar-10-python.tar.gz by other means" in str(caught.value)


def test_mirror_with_a_wrong_file_is_passed_over(tmp_path, host):
    put(tmp_path / "host" / "bad", FASHION_FILES, packed=True)
    put(tmp_path / "host" / "good", MNIST_FILES, packed=True)
    mnist = replace(TINY_MNIST, hosts=(f"{host}bad/", f"{host}good/"))
    assert read_files([mnist], Place(downloads=tmp_path / "downloads"))[1] == MNIST_FILES


def test_failed_download_names_addresses_and_data_dir_and_keeps_nothing_wrong(tmp_path, host):
    put(tmp_path / "host" / "bad", MNIST_FILES | {"train-images-idx3-ubyte": b"wrong"}, packed=True)
    mnist = replace(TINY_MNIST, hosts=(f"{host}bad/", f"{host}missing/"))
    expected = r"bad/train-images-idx3-ubyte\.gz \(sent a wrong file.*missing/train.*404.*as data_dir"
    with pytest.raises(DatasetError, match=expected):
        read_files([mnist], Place(downloads=tmp_path / "downloads"))
    kept = [path for path in (tmp_path / "downloads").rglob("*") if path.is_file()]
    assert all(path.stat().st_size == 0 for path in kept)  # the lock


def test_every_published_file_set_is_complete():
    """Digests are SHA-256, addresses end with a slash, and every download has at least two hosts."""
    assert len(published.PUBLISHED) == 4
    for file_set in published.PUBLISHED:
        assert all(len(bytes.fromhex(digest)) == 32 for digest in file_set.digests.values())
        assert all(host.endswith("/") for host in file_set.hosts)
        assert len(set(file_set.hosts)) == len(file_set.hosts) >= 2
        assert (file_set.archive is None) == (file_set.archive_size is None)
