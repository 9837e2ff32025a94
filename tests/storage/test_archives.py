"""Archives give back what was packed, or name what is wrong with them."""

import hashlib
import json
import zipfile

import pytest
from ntklens.storage import archives
from ntklens.storage.archives import FORMAT, MANIFEST, Entry, extract, read_file, read_manifest, write_archive
from ntklens.storage.errors import DamagedFileError, FileError, OtherFileError
from ntklens.storage.records import read_record, write_record
from ntklens.storage.sealing import write_sealed_json

from tests.support.origins import origin

SETTINGS = {"curve": {"study": "deep", "dataset": "digits", "network": "dense"}}


@pytest.fixture
def archive(tmp_path):
    """An archive of one record, one picture and one text."""
    write_record(tmp_path / "laws.json", {"slope": -0.5}, origin("power laws", SETTINGS))
    (tmp_path / "figure-1.png").write_bytes(b"\x89PNG" + bytes(1000))
    files = {"fits/laws.json": tmp_path / "laws.json", "figures/figure-1.png": tmp_path / "figure-1.png"}
    write_archive(tmp_path / "small.zip", files, {"config.yaml": "name: größe\n"}, {"name": "small"})
    return tmp_path / "small.zip"


def rewritten(archive, changes):
    """``archive`` with some of its files changed, or left out where the change is None."""
    with zipfile.ZipFile(archive) as source:
        content = {name: source.read(name) for name in source.namelist()} | changes
    with zipfile.ZipFile(archive, "w") as changed:
        for name, own in content.items():
            if own is not None:
                changed.writestr(name, own)
    return archive


def sealed(tmp_path, content):
    write_sealed_json(tmp_path / "manifest.json", content)
    return (tmp_path / "manifest.json").read_bytes()


def test_it_gives_back_what_was_packed(archive, tmp_path):
    manifest = read_manifest(archive)
    assert manifest.about == {"format": FORMAT, "name": "small"}
    assert set(manifest.files) == {"config.yaml", "figures/figure-1.png", "fits/laws.json"}
    assert read_file(manifest, "config.yaml").decode() == "name: größe\n"
    extract(manifest, "fits/laws.json", tmp_path / "deep/down/laws.json")
    assert read_record(tmp_path / "deep/down/laws.json", "power laws")["slope"] == -0.5


def test_the_manifest_says_what_each_file_is(archive, tmp_path):
    content = (tmp_path / "laws.json").read_bytes()
    files = read_manifest(archive).files
    made_with = origin("power laws", SETTINGS)["settings_sha256"]
    digest = hashlib.sha256(content).hexdigest()
    assert files["fits/laws.json"] == Entry(digest, len(content), "power laws", made_with)
    assert files["figures/figure-1.png"][1:] == (1004, "", "")


def test_the_same_files_give_the_same_bytes_in_any_order(archive, tmp_path):
    files = {"figures/figure-1.png": tmp_path / "figure-1.png", "fits/laws.json": tmp_path / "laws.json"}
    write_archive(tmp_path / "again.zip", files, {"config.yaml": "name: größe\n"}, {"name": "small"})
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()


def test_a_damaged_record_is_not_packed(tmp_path):
    (tmp_path / "laws.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DamagedFileError, match=r"laws\.json is damaged"):
        write_archive(tmp_path / "small.zip", {"laws.json": tmp_path / "laws.json"}, {}, {"name": "small"})
    assert not (tmp_path / "small.zip").exists()


def test_a_file_that_could_not_be_read_back_is_not_packed(archive, tmp_path, monkeypatch):
    """The picture has 1004 bytes."""
    pictures = {"figures/figure-1.png": tmp_path / "figure-1.png"}
    monkeypatch.setattr(archives, "MOST_BYTES", 1004)
    write_archive(tmp_path / "right.zip", pictures, {}, {"name": "small"})
    assert len(read_file(read_manifest(tmp_path / "right.zip"), "figures/figure-1.png")) == 1004
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(archives, "MOST_BYTES", 1003)
    too_large = r"figure-1\.png is too large for an archive, 1,004 bytes where 1,003 are allowed: share the "
    with pytest.raises(FileError, match=too_large):
        write_archive(tmp_path / "new.zip", pictures, {}, {"name": "small"})
    with pytest.raises(FileError, match=r"jobs\.csv of .*new\.zip is too large for an archive, 1,010 bytes"):
        write_archive(tmp_path / "new.zip", {}, {"jobs.csv": 1010 * "x"}, {"name": "small"})
    with pytest.raises(FileError, match=r"manifest\.json of .*new\.zip is too large for an archive"):
        write_archive(tmp_path / "new.zip", {}, {}, {"name": 1010 * "x"})
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_that_is_too_large_to_read_is_not_called_damaged(archive, monkeypatch):
    manifest = read_manifest(archive)
    monkeypatch.setattr(archives, "MOST_BYTES", 1003)
    with pytest.raises(FileError, match=r"small\.zip: figures/figure-1\.png in it is too large, 1,004 bytes"):
        read_file(manifest, "figures/figure-1.png")


def test_an_edited_file_is_named(archive):
    rewritten(archive, {"config.yaml": b"name: other\n"})
    with pytest.raises(DamagedFileError, match=r"small\.zip is damaged: config\.yaml in it is not what was"):
        read_file(read_manifest(archive), "config.yaml")


def test_a_longer_file_is_not_read_to_its_end(archive):
    rewritten(archive, {"config.yaml": b"name: gr\xc3\xb6\xc3\x9fe\n" + bytes(10**7)})
    with pytest.raises(DamagedFileError, match=r"config\.yaml in it is not what was written"):
        read_file(read_manifest(archive), "config.yaml")


def test_an_edited_manifest_is_named(archive):
    with zipfile.ZipFile(archive) as source:
        manifest = json.loads(source.read(MANIFEST))
    manifest["about"]["name"] = "other"
    rewritten(archive, {MANIFEST: json.dumps(manifest).encode()})
    with pytest.raises(DamagedFileError, match=r"manifest\.json in it is not what was written"):
        read_manifest(archive)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"about": {"format": FORMAT + 1}, "files": {}}, "was written by another version of ntk-lens"),
        ({"about": {"format": FORMAT}, "files": {"a": {"sha256": ""}}}, "is no archive of ntk-lens"),
        ({"about": [], "files": {}}, "is no archive of ntk-lens"),
        ({"files": {}}, "is no archive of ntk-lens"),
    ],
)
def test_another_manifest_is_refused(archive, tmp_path, content, message):
    rewritten(archive, {MANIFEST: sealed(tmp_path, content)})
    with pytest.raises(OtherFileError, match=rf"small\.zip {message}"):
        read_manifest(archive)


@pytest.mark.parametrize("content", [b"", b"[1]", b"{}", b"\xff", b"[" * 10_000])
def test_a_manifest_of_something_else_is_refused(archive, content):
    with pytest.raises(OtherFileError, match="is no archive of ntk-lens"):
        read_manifest(rewritten(archive, {MANIFEST: content}))


def test_a_zip_file_of_something_else_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("readme.txt", "something else")
    with pytest.raises(OtherFileError, match=r"other\.zip holds no manifest\.json"):
        read_manifest(tmp_path / "other.zip")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_refused(archive):
    with zipfile.ZipFile(archive, "a") as changed:
        changed.writestr("config.yaml", "name: other\n")
    with pytest.raises(OtherFileError, match="it holds two files of one name"):
        read_manifest(archive)


def test_a_file_that_the_archive_lacks_is_named(archive):
    manifest = read_manifest(archive)
    with pytest.raises(OtherFileError, match=r"small\.zip holds no fits/ends\.json"):
        read_file(manifest, "fits/ends.json")
    rewritten(archive, {"config.yaml": None})
    with pytest.raises(OtherFileError, match=r"small\.zip holds no config\.yaml"):
        read_file(manifest, "config.yaml")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.99])
def test_a_truncated_archive_is_named(archive, share):
    content = archive.read_bytes()
    archive.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DamagedFileError, match=r"small\.zip is damaged, or no archive of ntk-lens"):
        read_manifest(archive)


def test_a_folder_and_a_missing_file_are_named(tmp_path):
    with pytest.raises(FileError, match="is no file"):
        read_manifest(tmp_path)
    with pytest.raises(FileError, match=r"none\.zip is not there"):
        read_manifest(tmp_path / "none.zip")
