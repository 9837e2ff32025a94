"""Data files of every format, valid ones read back exactly, and changed ones: right or one sentence."""

import gzip
import io
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ntklens.data import dataset_files
from ntklens.data.dataset_files import Place, read_files
from ntklens.data.errors import DatasetError
from ntklens.data.image_formats import read_cifar_pickle, read_cifar_records, read_idx
from ntklens.data.npz_headers import npz_contents
from ntklens.data.npz_images import load_npz

from tests.fuzz.outcomes import Outcome
from tests.support.tiny_files import (
    CIFAR_BATCH,
    MNIST_FILES,
    RECORD_FILES,
    TINY_BINARY,
    TINY_MNIST,
    TINY_PUBLISHED,
    cifar_batch,
    cifar_pickle,
    cifar_records,
    idx,
    tar_gz,
)

pytestmark = pytest.mark.filterwarnings("ignore:Duplicate name", "ignore:Reading `.npy`")

seeds = st.integers(0, 2**32 - 1)


@st.composite
def changes(draw):
    """A function that changes some bytes of a file, or none: flips, cuts, insertions, repeats, numbers."""
    rng = np.random.default_rng(draw(seeds))
    kinds = draw(st.lists(st.sampled_from(["flip", "cut", "insert", "repeat", "number", "head"]), max_size=3))

    def changed(content):
        content = bytearray(content)
        for kind in kinds:
            start, length = (int(rng.integers(0, len(content) + 1)), int(rng.integers(1, 9)))
            if kind == "head":  # headers are short, and nearly every byte of theirs has a meaning
                start, kind = int(rng.integers(0, 64)), "flip"
            if kind == "flip" and start < len(content):
                content[start] ^= 1 << int(rng.integers(8))
            elif kind == "cut":
                del content[start : start + length ** int(rng.integers(1, 5))]
            elif kind == "insert":
                content[start:start] = rng.bytes(length)
            elif kind == "repeat":
                content[start:start] = content[start : start + 100 * length]
            elif kind == "number":
                value = int(rng.choice([0, 1, 2**7, 2**15, 2**31 - 1, 2**31, 2**32 - 1]))
                content[start : start + 4] = value.to_bytes(4, rng.choice(["little", "big"]))
        return bytes(content)

    return changed


def outcome_of(read, expected, unchanged):
    """What became of reading: ``expected`` is the right answer, required where nothing was changed."""
    try:
        found = read()
    except DatasetError as error:
        sentence = str(error)
        if unchanged:
            return Outcome.WRONG, f"a valid file is refused: {sentence}"
        return (Outcome.REFUSED if sentence.isprintable() else Outcome.TRACEBACK), sentence
    except Exception as error:
        return Outcome.TRACEBACK, repr(error)
    return (Outcome.RIGHT if expected(found) else Outcome.WRONG), repr(found)


def settle(tally, outcome, said):
    tally(outcome)
    assert outcome in (Outcome.RIGHT, Outcome.REFUSED), said


def equal(found, expected):
    return found.shape == expected.shape and found.dtype == expected.dtype and np.array_equal(found, expected)


@st.composite
def idx_arrays(draw):
    shape = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    return np.random.default_rng(draw(seeds)).integers(256, size=shape, dtype=np.uint8)


def idx_by_hand(content):
    """The array in a whole IDX file, read number by number."""
    sizes = [int.from_bytes(content[4 + 4 * k : 8 + 4 * k], "big") for k in range(content[3])]
    values = list(content[4 + 4 * content[3] :])
    return np.array(values, np.uint8).reshape(sizes)


def test_idx(tally):
    count = tally("IDX file")

    @given(idx_arrays(), changes())
    def check(array, change):
        content = idx(array)
        given_bytes = change(content)
        same = given_bytes == content

        def right(found):
            # A changed file that is whole may hold another array: what its bytes say.
            return equal(found, array if same else idx_by_hand(given_bytes))

        settle(count, *outcome_of(lambda: read_idx(given_bytes, "file"), right, same))

    check()


def channels_last(planes):
    return np.stack([planes[:, channel].reshape(len(planes), -1) for channel in range(3)], axis=-1).reshape(
        len(planes), -1
    )


BATCHES = [cifar_batch(seed) for seed in range(4)]
RECORDS = [cifar_records(*batch) for batch in BATCHES]
PICKLES = [cifar_pickle(*batch) for batch in BATCHES]


def test_cifar_records(tally):
    count = tally("CIFAR-10 binary file")

    @given(st.integers(0, 3), changes())
    def check(number, change):
        content = change(RECORDS[number])
        same = content == RECORDS[number]

        def right(found):
            rows = [content[3073 * i : 3073 * (i + 1)] for i in range(CIFAR_BATCH)]
            planes = np.array([list(row[1:]) for row in rows], np.uint8).reshape(-1, 3, 32, 32)
            labels = np.array([row[0] for row in rows], np.uint8)
            return (
                len(content) == 3073 * CIFAR_BATCH
                and labels.max() < 10
                and equal(found[0], channels_last(planes))
                and equal(found[1], labels)
            )

        settle(count, *outcome_of(lambda: read_cifar_records(content, "file", CIFAR_BATCH), right, same))

    check()


def test_cifar_pickles(tally):
    """A changed pickle may hold other pixels or labels; these must be within bounds."""
    count = tally("CIFAR-10 pickle")

    @given(st.integers(0, 3), st.sampled_from([None, *range(pickle.HIGHEST_PROTOCOL + 1)]), changes())
    def check(number, protocol, change):
        planes, labels = BATCHES[number]
        batch = {b"data": planes.reshape(CIFAR_BATCH, -1), b"labels": labels.tolist()}
        original = PICKLES[number] if protocol is None else pickle.dumps(batch, protocol)
        content = change(original)
        same = content == original

        def right(found):
            if same:
                return equal(found[0], channels_last(planes)) and equal(found[1], labels)
            pixels_changed = np.count_nonzero(found[0] != channels_last(planes))
            of_known_kind = found[0].dtype == found[1].dtype == np.uint8 and found[1].max() < 10
            return of_known_kind and found[0].shape == (CIFAR_BATCH, 3072) and pixels_changed < found[0].size

        settle(count, *outcome_of(lambda: read_cifar_pickle(content, "file", CIFAR_BATCH), right, same))

    check()


@st.composite
def user_arrays(draw):
    """Images and labels of a valid user's file, and the images that are expected."""
    rng = np.random.default_rng(draw(seeds))
    classes = draw(st.integers(2, 4))
    samples = classes + draw(st.integers(0, 4))
    shape = (samples, *draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    pixels = draw(st.sampled_from(["u1", "<f2", "<f4", ">f4", "<f8", ">f8"]))
    images = rng.integers(256, size=shape, dtype=np.uint8)
    images = images if pixels == "u1" else (images / 255).astype(pixels)
    labels = rng.permutation(np.arange(samples) % classes)
    labels = labels.astype(draw(st.sampled_from(["u1", "<i2", ">i4", "<i8", ">u8"])))
    order = np.asfortranarray if draw(st.booleans()) else np.ascontiguousarray
    arrays = {"images": order(images), "labels": labels}
    if draw(st.booleans()):
        arrays |= {"test_images": order(images[: classes - 1]), "test_labels": labels[: classes - 1]}
    return arrays


DEFECTS = {
    "no class but one": lambda a: a | {"labels": 0 * a["labels"]},
    "a class without samples": lambda a: a | {"labels": 2 * a["labels"].astype(int)},
    "negative labels": lambda a: a | {"labels": a["labels"].astype(int) - 1},
    "labels of no integers": lambda a: a | {"labels": a["labels"] / 1},
    "labels of text": lambda a: a | {"labels": a["labels"].astype(str)},
    "labels in a column": lambda a: a | {"labels": a["labels"][:, None]},
    "a label too few": lambda a: a | {"labels": a["labels"][1:]},
    "no samples": lambda a: {key: array[:0] for key, array in a.items()},
    "an infinite pixel": lambda a: a | {"images": np.full_like(a["images"], np.inf, dtype=float)},
    "NaN": lambda a: a | {"images": np.full_like(a["images"], np.nan, dtype=float)},
    "pixels beyond 1": lambda a: a | {"images": a["images"].astype(float) + 1.5},
    "complex pixels": lambda a: a | {"images": a["images"].astype(complex)},
    "pixels of 64-bit integers": lambda a: a | {"images": a["images"].astype(int)},
    "too many axes": lambda a: a | {"images": a["images"].reshape(*a["images"].shape, 1, 1, 1)},
    "no images": lambda a: {key: a[key] for key in a if key != "images"},
    "no labels": lambda a: {key: a[key] for key in a if key != "labels"},
}


def saved(arrays, compressed):
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, **arrays)
    return file.getvalue()


def rewritten(content, change):
    """The npz file with the bytes of one of its members changed, and its checksums right."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w") as new:
        for position, name in enumerate(old.namelist()):
            new.writestr(name, change(old.read(name)) if position == 0 else old.read(name))
    return file.getvalue()


def is_as_stated(found, path):
    """Whether loaded images are those that NumPy itself reads, within the bounds that `load_npz` promises."""
    with np.load(path) as arrays:
        parts = [name for name in ("", "test_") if f"{name}images" in arrays.files]
        images = np.concatenate([arrays[f"{name}images"] for name in parts])
        labels = np.concatenate([arrays[f"{name}labels"] for name in parts])
    same = np.array_equal(found.images, images.reshape(len(images), -1).astype(found.images.dtype))
    size = images.shape[1:]
    classes = set(labels[: found.test_first].tolist())
    return (
        same
        and np.array_equal(found.labels, labels)
        and classes == set(range(len(classes)))
        and len(classes) > 1
        and found.images.min() >= 0
        and found.images.max() <= found.white
        and found.shape == {2: (1, *size, 1), 3: (*size, 1), 4: size}[images.ndim]
    )


@pytest.mark.parametrize("how", ["defect", "bytes", "member"])
def test_npz(tally, tmp_path, how):
    count, path = tally("npz file"), tmp_path / "own.npz"

    @given(user_arrays(), st.sampled_from([None, *DEFECTS]), changes(), st.booleans())
    def check(arrays, defect, change, compressed):
        original = saved(arrays, compressed)
        content = {
            "defect": lambda: original if defect is None else saved(DEFECTS[defect](arrays), compressed),
            "bytes": lambda: change(original),
            "member": lambda: rewritten(original, change),
        }[how]()
        path.write_bytes(content)
        same = content == original if how == "bytes" else how == "defect" and defect is None
        if how == "defect" and defect is not None:
            outcome, said = outcome_of(lambda: load_npz(path), lambda found: False, unchanged=False)
        else:
            outcome, said = outcome_of(lambda: load_npz(path), lambda found: is_as_stated(found, path), same)
        settle(count, outcome, said)
        if outcome is Outcome.RIGHT:
            loaded = load_npz(path)
            own_test = 0 if loaded.test_first is None else len(loaded.images) - loaded.test_first
            expected = (loaded.shape, int(loaded.labels.max()) + 1, len(loaded.images), own_test)
            outcome, said = outcome_of(lambda: npz_contents(path), lambda found: found == expected, True)
        else:  # headers may be whole where images are damaged
            outcome, said = outcome_of(lambda: npz_contents(path), lambda found: True, False)
        settle(count, outcome, said)

    check()


@pytest.mark.parametrize("modified", [False, True])
def test_gzip_files(tally, tmp_path, monkeypatch, modified):
    """Changed bytes of published files are refused; modified ones are what is packed."""
    monkeypatch.setattr(dataset_files, "PUBLISHED", TINY_PUBLISHED)
    count, name = tally("gzip file"), "train-images-idx3-ubyte"
    for other, content in MNIST_FILES.items():
        (tmp_path / other).write_bytes(content)
    (tmp_path / name).unlink()
    packed = gzip.compress(MNIST_FILES[name], mtime=0)

    @given(changes())
    def check(change):
        content = change(packed)
        (tmp_path / f"{name}.gz").write_bytes(content)

        def right(found):
            found = found[1][name]
            if not modified:
                return found == MNIST_FILES[name]
            if content[:2] != packed[:2]:
                return found == content
            return found == MNIST_FILES[name] or found == gzip.decompress(content)

        read = lambda: read_files([TINY_MNIST], Place(tmp_path, modified=modified))  # noqa: E731
        settle(count, *outcome_of(read, right, content == packed))

    check()


@pytest.mark.parametrize("modified", [False, True])
def test_archives(tally, tmp_path, monkeypatch, modified):
    """A changed byte of an archive is found by its checksum, or lies where it changes no file."""
    monkeypatch.setattr(dataset_files, "PUBLISHED", TINY_PUBLISHED)
    count, inside = tally("tar archive"), TINY_BINARY.archive_folder
    plain = gzip.decompress(tar_gz({f"{inside}/{name}": RECORD_FILES[name] for name in RECORD_FILES}))
    packed = gzip.compress(plain, 1, mtime=0)

    @given(changes(), st.booleans())
    def check(change, outside):
        content = change(packed) if outside else gzip.compress(change(plain), 0, mtime=0)
        (tmp_path / TINY_BINARY.archive).write_bytes(content)
        same = outside and content == packed

        def right(found):
            found = found[1]
            whole = found == RECORD_FILES
            return whole or (modified and not outside and found.keys() == RECORD_FILES.keys())

        read = lambda: read_files([TINY_BINARY], Place(tmp_path, modified=modified))  # noqa: E731
        settle(count, *outcome_of(read, right, same))

    check()
