import gzip
import hashlib
import http.server
import socket
import threading
from functools import partial

import h5py
import numpy as np
import pytest
from ntklens import datasets
from ntklens.datasets import DatasetError, Images, Source, load_digits, load_mnist, load_mnist_5k, read_idx

TRAIN_IMAGES = np.arange(3 * 2 * 2, dtype=np.uint8).reshape(3, 2, 2)
TEST_IMAGES = np.arange(200, 200 + 2 * 2 * 2, dtype=np.uint8).reshape(2, 2, 2)
TRAIN_LABELS = np.array([4, 0, 9], dtype=np.uint8)
TEST_LABELS = np.array([1, 7], dtype=np.uint8)
ALL_IMAGES = [
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [8, 9, 10, 11],
    [200, 201, 202, 203],
    [204, 205, 206, 207],
]


def idx(array):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return b"\x00\x00\x08" + bytes([array.ndim]) + sizes + array.tobytes()


FILES = {
    "train-images-idx3-ubyte": idx(TRAIN_IMAGES),
    "train-labels-idx1-ubyte": idx(TRAIN_LABELS),
    "t10k-images-idx3-ubyte": idx(TEST_IMAGES),
    "t10k-labels-idx1-ubyte": idx(TEST_LABELS),
}


@pytest.fixture(autouse=True)
def _tiny_mnist(monkeypatch):
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    monkeypatch.setattr(datasets, "MNIST_FILES", digests)


@pytest.fixture
def folder(tmp_path):
    """The four files, packed."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
    return folder


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class CuttingHandler(QuietHandler):
    """Promises more bytes than it sends."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"\x1f\x8b")


class SilentHandler(QuietHandler):
    """Hangs up without an answer."""

    def do_GET(self):
        self.close_connection = True


@pytest.fixture
def serve(monkeypatch):
    """Call it with a handler: MNIST_HOST is then a server on this machine."""
    servers = []

    def start(handler):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setattr(datasets, "MNIST_HOST", f"http://127.0.0.1:{server.server_port}/")

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def assert_is_tiny_mnist(data):
    np.testing.assert_array_equal(data.images, ALL_IMAGES)
    np.testing.assert_array_equal(data.labels, [4, 0, 9, 1, 7])
    assert data.images.dtype == data.labels.dtype == np.uint8
    assert data.white == 255


def test_packed_files_load_train_before_test(folder):
    assert_is_tiny_mnist(load_mnist(folder))


def test_unpacked_files_load(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    assert_is_tiny_mnist(load_mnist(str(tmp_path)))


def test_files_in_the_dataset_s_own_folder_load(folder):
    assert folder.name == "mnist"
    assert_is_tiny_mnist(load_mnist(folder.parent))


def test_missing_folder_raises_and_says_what_to_do(tmp_path):
    with pytest.raises(DatasetError, match=r"nowhere has no train-images-idx3-ubyte.*data_dir to null"):
        load_mnist(tmp_path / "nowhere")


def test_missing_file_raises_and_names_it(folder):
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DatasetError, match=r"has no t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte\.gz"):
        load_mnist(folder)


def test_wrong_checksum_raises_and_names_both_digests(folder):
    name = "t10k-images-idx3-ubyte"
    other = FILES[name][:-1] + b"\xff"
    (folder / f"{name}.gz").write_bytes(gzip.compress(other))
    with pytest.raises(DatasetError, match=f"not the expected {name}") as caught:
        load_mnist(folder)
    assert hashlib.sha256(other).hexdigest() in str(caught.value)
    assert hashlib.sha256(FILES[name]).hexdigest() in str(caught.value)


def test_truncated_gzip_raises_and_says_what_to_do(folder):
    path = folder / "train-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-6])
    with pytest.raises(DatasetError, match=r"train-labels-idx1-ubyte\.gz is damaged .* get it again"):
        load_mnist(folder)


def test_gzip_with_a_wrong_crc_raises(folder):
    path = folder / "train-labels-idx1-ubyte.gz"
    packed = bytearray(path.read_bytes())
    packed[-8] ^= 0xFF
    path.write_bytes(packed)
    with pytest.raises(DatasetError, match=r"train-labels-idx1-ubyte\.gz is damaged"):
        load_mnist(folder)


def test_gzip_damaged_in_the_middle_raises(folder):
    path = folder / "train-labels-idx1-ubyte.gz"
    packed = bytearray(path.read_bytes())
    packed[10] = 0xFF  # the first byte behind the header: no such block type
    path.write_bytes(packed)
    with pytest.raises(DatasetError, match=r"train-labels-idx1-ubyte\.gz is damaged"):
        load_mnist(folder)


def test_foreign_file_raises(folder):
    (folder / "train-images-idx3-ubyte").write_text("<html>not found</html>")
    with pytest.raises(DatasetError, match="not the expected train-images-idx3-ubyte"):
        load_mnist(folder)


def test_idx_of_known_bytes():
    content = b"\x00\x00\x08\x02" + b"\x00\x00\x00\x02" + b"\x00\x00\x00\x03" + bytes([1, 2, 3, 4, 5, 6])
    np.testing.assert_array_equal(read_idx(content, "tiny"), [[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize(
    "kept",
    [4, 6, 8, 15, 16, 20, 27],
)
def test_truncated_idx_raises(kept):
    with pytest.raises(DatasetError, match="tiny is truncated"):
        read_idx(FILES["train-images-idx3-ubyte"][:kept], "tiny")


def test_idx_with_trailing_bytes_raises():
    with pytest.raises(DatasetError, match="tiny"):
        read_idx(FILES["train-images-idx3-ubyte"] + b"\x00", "tiny")


@pytest.mark.parametrize("content", [b"", b"\x00\x00\x08", b"\x89PNG\r\n\x1a\n", b"\x00\x00\x0d\x00\x01"])
def test_content_that_is_no_idx_of_bytes_raises(content):
    with pytest.raises(DatasetError, match="tiny is not an IDX file of unsigned bytes"):
        read_idx(content, "tiny")


def test_download_loads_all_files(folder, serve):
    serve(partial(QuietHandler, directory=folder))
    assert_is_tiny_mnist(load_mnist())


def test_download_of_a_missing_file_raises_and_names_data_dir(folder, serve):
    (folder / "train-labels-idx1-ubyte.gz").unlink()
    serve(partial(QuietHandler, directory=folder))
    with pytest.raises(DatasetError, match=r"train-labels-idx1-ubyte\.gz \(.*404.*as data_dir"):
        load_mnist()


def test_refused_connection_raises_and_names_data_dir(monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(datasets, "MNIST_HOST", f"http://127.0.0.1:{port}/")
    with pytest.raises(
        DatasetError, match=r"could not download http://127\.0\.0\.1:\d+/train.*refused.*as data_dir"
    ):
        load_mnist()


@pytest.mark.parametrize("handler", [CuttingHandler, SilentHandler])
def test_download_that_breaks_off_raises_and_names_data_dir(serve, handler):
    serve(handler)
    with pytest.raises(DatasetError, match=r"could not download .*as data_dir"):
        load_mnist()


def test_mnist_5k_is_what_the_registry_says():
    data = load_mnist_5k()
    assert data.images.shape == (5000, 784)
    assert data.images.dtype == data.labels.dtype == np.uint8
    np.testing.assert_array_equal(np.bincount(data.labels), [500] * 10)
    assert data.images.max() == data.white == 255
    assert (datasets.REGISTRY["mnist-5k"].samples, datasets.REGISTRY["mnist-5k"].classes) == (5000, 10)


def test_digits_are_what_the_registry_says():
    data = load_digits()
    assert data.images.shape == (1797, 64)
    assert data.images.dtype == data.labels.dtype == np.uint8
    counts = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    np.testing.assert_array_equal(np.bincount(data.labels), counts)
    assert data.images.max() == data.white == 16
    assert (datasets.REGISTRY["digits"].samples, datasets.REGISTRY["digits"].classes) == (1797, 10)


def test_written_dataset_holds_the_loaded_one(tmp_path, folder, monkeypatch):
    source = Source(load_mnist, 5, 10, "five tiny images", test_first=3)
    monkeypatch.setitem(datasets.REGISTRY, "tiny", source)
    datasets.write_dataset(tmp_path / "tiny.h5", "tiny", folder)
    with h5py.File(tmp_path / "tiny.h5") as file:
        np.testing.assert_array_equal(file["images"], ALL_IMAGES)
        np.testing.assert_array_equal(file["labels"], [4, 0, 9, 1, 7])
        assert file["images"].attrs["units"] == "1/255"
        assert file.attrs["description"] == "five tiny images"
        assert (file.attrs["classes"], file.attrs["white"], file.attrs["test_first"]) == (10, 255, 3)


def test_written_dataset_without_own_test_part_has_test_first_minus_one(tmp_path):
    datasets.write_dataset(tmp_path / "digits.h5", "digits")
    with h5py.File(tmp_path / "digits.h5") as file:
        assert file["images"].shape == (1797, 64)
        assert (file.attrs["white"], file.attrs["test_first"]) == (16, -1)


def test_dataset_of_the_wrong_size_raises_and_writes_nothing(tmp_path, folder):
    path = tmp_path / "out" / "mnist.h5"
    with pytest.raises(DatasetError, match="mnist should have 70000 samples, found 5 images and 5 labels"):
        datasets.write_dataset(path, "mnist", folder)
    assert not path.exists()


def test_fewer_labels_than_images_raises(tmp_path, monkeypatch):
    data = Images(np.zeros((3, 4), np.uint8), np.zeros(2, np.uint8), white=255)
    monkeypatch.setitem(datasets.REGISTRY, "tiny", Source(lambda _: data, 3, 10, "uneven"))
    with pytest.raises(DatasetError, match="found 3 images and 2 labels"):
        datasets.write_dataset(tmp_path / "tiny.h5", "tiny")


@pytest.mark.parametrize(("name", "pool"), [("digits", 1497), ("mnist-5k", 4700), ("mnist", 60000)])
def test_pool_is_what_the_test_samples_leave(name, pool):
    assert datasets.REGISTRY[name].pool_size(300) == pool


@pytest.mark.parametrize(("name", "most"), [("digits", 1796), ("mnist", 10000)])
def test_test_samples_come_from_the_own_test_part_where_there_is_one(name, most):
    assert datasets.REGISTRY[name].most_test_samples == most
