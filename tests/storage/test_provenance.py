import hashlib
import json
import subprocess
from importlib.metadata import version

import pytest
from ntklens.storage import provenance as module
from ntklens.storage.identity import SCHEMA
from ntklens.storage.provenance import code_commit, provenance

SETTINGS = {"scale": 8, "optimizer": {"b1": 0.9, "eps": 1e-8}}


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A git repository with one commit that seems to contain the module. Returns a function that runs git."""
    monkeypatch.delenv("GIT_DIR", raising=False)
    monkeypatch.setattr(module, "__file__", str(tmp_path / "module.py"))
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]

    def git(*arguments):
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout.strip()

    git("init", "--quiet")
    (tmp_path / "module.py").write_text("first = 1\n", encoding="utf-8")
    git("add", "module.py")
    git("commit", "--quiet", "-m", "first")
    return git


@pytest.fixture
def inputs(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    (tmp_path / "empty").write_bytes(b"")
    return [tmp_path / "abc", str(tmp_path / "empty")]


def test_record_holds_settings_and_survives_json(inputs):
    record = provenance("run", SETTINGS, inputs, ["numpy"])
    assert set(record) == {"kind", "schema", "settings", "settings_sha256", "commit", "versions", "inputs"}
    assert (record["kind"], record["schema"]) == ("run", SCHEMA)
    assert record["settings"] == SETTINGS
    assert json.loads(json.dumps(record)) == record


def test_record_holds_checksums_of_the_inputs(inputs):
    assert provenance("run", SETTINGS, inputs, [])["inputs"] == {
        str(inputs[0]): "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        str(inputs[1]): "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    }


def test_record_holds_versions_of_the_libraries_in_order():
    versions = provenance("run", SETTINGS, [], ["numpy", "h5py"])["versions"]
    assert list(versions.items()) == [("h5py", version("h5py")), ("numpy", version("numpy"))]


def test_settings_checksum_is_that_of_their_sorted_json():
    digest = hashlib.sha256(b'{"a": [1, 2], "b": null}').hexdigest()
    for settings in ({"a": [1, 2], "b": None}, {"b": None, "a": [1, 2]}):
        assert provenance("run", settings, [], [])["settings_sha256"] == digest


def test_settings_checksum_changes_with_a_setting():
    digests = {provenance("run", {"scale": scale}, [], [])["settings_sha256"] for scale in (8, 16)}
    assert len(digests) == 2


def test_missing_input_raises(tmp_path):
    with pytest.raises(FileNotFoundError):
        provenance("run", SETTINGS, [tmp_path / "nowhere"], [])


def test_commit_is_that_of_the_repository(repository):
    assert code_commit() == repository("rev-parse", "HEAD")


def test_commit_of_a_tagged_version_is_still_the_commit(repository):
    repository("tag", "--annotate", "v1", "-m", "first")
    assert code_commit() == repository("rev-parse", "HEAD")


def test_edited_code_is_marked_as_modified(repository, tmp_path):
    (tmp_path / "module.py").write_text("second = 2\n", encoding="utf-8")
    assert code_commit() == repository("rev-parse", "HEAD") + "-modified"


def test_untracked_files_do_not_count_as_modified(repository, tmp_path):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    assert code_commit() == repository("rev-parse", "HEAD")


def test_commit_outside_a_repository_is_unknown(tmp_path, monkeypatch):
    monkeypatch.delenv("GIT_DIR", raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setattr(module, "__file__", str(tmp_path / "module.py"))
    assert code_commit() == "unknown"


def test_commit_without_git_is_unknown(repository, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert code_commit() == "unknown"
