"""A config takes from an archive what belongs to it, and refuses all else before anything runs."""

import json
from collections import OrderedDict

import pytest
import yaml
from ntklens.planning.archive_settings import holder_of
from ntklens.planning.archives import archive_settings, check_archive, config_in, restoring_settings
from ntklens.planning.config import ConfigError, load
from ntklens.storage.archives import read_manifest, write_archive
from ntklens.storage.records import write_record

from tests.support.origins import origin
from tests.support.small_config import changed, small


def packed(path, config, leave_out=(), **more):
    """An archive of files that stand for those of ``config``."""
    files = {}
    for file in restoring_settings(load(config)).files:
        if file.name not in leave_out:
            files[file.name] = (path.parent / file.name).with_suffix(".json")
            made = {**origin(file.kind), "settings_sha256": file.made_with, **more}
            write_record(files[file.name], {}, made)
    write_archive(path, files, {"config.yaml": archive_settings(config).config}, {"name": config["name"]})
    return str(path)


def test_averages_of_every_curve_and_the_closed_forms_are_taken():
    files = restoring_settings(load(small())).files
    assert {file.kind for file in files} == {"averages", "infinite width"}
    assert len({file.path for file in files}) == len({file.made_with for file in files}) == len(files)
    assert files[0].name.startswith("averages/")
    assert files[0].path == f"results/{small()['name']}/{files[0].name}"


def test_the_config_is_kept_without_the_keys_of_a_machine():
    given = {**small(), "data_dir": "/data", "keep_runs": True, "precomputed": "some.zip"}
    assert yaml.safe_load(archive_settings(given).config) == small()


def test_a_config_that_was_read_from_json_is_kept_as_any_other():
    read = json.loads(json.dumps(small()), object_pairs_hook=OrderedDict)
    assert archive_settings(read) == archive_settings(small())


def test_the_config_of_modified_data_is_kept_with_their_folder(tmp_path):
    given = {**changed(("studies", "model-scaling", 0, "dataset"), "mnist-modified"), "data_dir": "/data"}
    archive = packed(tmp_path / "small.zip", given)
    assert config_in(archive) == given
    check_archive(load({**given, "precomputed": archive}))
    with pytest.raises(ConfigError, match="made with other settings"):
        check_archive(load({**given, "data_dir": "/other", "precomputed": archive}))


def test_an_archive_of_the_same_config_is_accepted(tmp_path):
    archive = packed(tmp_path / "small.zip", small())
    check_archive(load({**small(), "precomputed": archive}))
    assert config_in(archive) == small()


def test_a_config_of_another_name_takes_the_same_files(tmp_path):
    archive = packed(tmp_path / "small.zip", small())
    other = load({**small(), "name": "other", "precomputed": archive})
    check_archive(other)
    names = [file.name for file in restoring_settings(other).files]
    assert names == [file.name for file in restoring_settings(load(small())).files]


def test_other_settings_of_the_analysis_are_accepted(tmp_path):
    archive = packed(tmp_path / "small.zip", small())
    check_archive(load({**changed(("analysis",), {"smoothing_epochs": 4}), "precomputed": archive}))


@pytest.mark.parametrize("other", [{"split_seed": 1}, {"test_samples": 501}, {"ntk_samples": 127}])
def test_other_settings_of_the_runs_are_refused(tmp_path, other):
    archive = packed(tmp_path / "small.zip", small())
    other = {**small(), **other, "precomputed": archive}
    with pytest.raises(
        ConfigError, match=r"small\.zip is an archive of .*made with other settings\. To use the config"
    ):
        check_archive(load(other))


def test_an_archive_without_a_curve_is_refused(tmp_path):
    first = restoring_settings(load(small())).files[0].name
    archive = packed(tmp_path / "small.zip", small(), leave_out=[first])
    with pytest.raises(ConfigError, match=rf"It holds no {first}\. .* precomputed={archive}, without"):
        check_archive(load({**small(), "precomputed": archive}))


def test_curves_come_from_several_archives(tmp_path):
    names = [file.name for file in restoring_settings(load(small())).files]
    one = packed(tmp_path / "one.zip", small(), leave_out=names[:1])
    two = packed(tmp_path / "two.zip", small(), leave_out=names[1:])
    both = load({**small(), "precomputed": [one, two]})
    check_archive(both)
    manifests = [read_manifest(path) for path in both.precomputed]
    holders = [holder_of(file, manifests) for file in restoring_settings(both).files]
    assert [str(holder.path) for holder in holders] == [two, *[one] * (len(names) - 1)]


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        ({}, r"holds {name}\. Name a config"),
        ({"split_seed": 1}, r"holds {name} as this config makes it\. Name"),
    ],
)
def test_several_archives_that_lack_a_curve_are_refused(tmp_path, other, problem):
    first = restoring_settings(load(small())).files[0].name
    leave_out = () if other else (first,)
    archives = [packed(tmp_path / f"{name}.zip", small(), leave_out) for name in ("one", "two")]
    with pytest.raises(
        ConfigError, match=rf"none of {archives[0]}, {archives[1]} {problem.format(name=first)}"
    ):
        check_archive(load({**small(), **other, "precomputed": archives}))


def test_a_file_of_another_kind_is_refused(tmp_path):
    archive = packed(tmp_path / "small.zip", small(), kind="ends")
    with pytest.raises(ConfigError, match="made with other settings"):
        check_archive(load({**small(), "precomputed": archive}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1\n", "must be a mapping of keys to values"),
        ("", "is empty"),
        ("name: [\n", "line 2: "),
        ("name: small\nname: other\n", "the key 'name' is given twice"),
    ],
)
def test_a_config_in_an_archive_is_read_as_strictly_as_a_file(tmp_path, text, message):
    write_archive(tmp_path / "small.zip", {}, {"config.yaml": text}, {"name": "small"})
    with pytest.raises(ConfigError, match=rf"small\.zip/config\.yaml.*{message}"):
        config_in(tmp_path / "small.zip")


@pytest.mark.parametrize(
    "read", [config_in, lambda path: check_archive(load({**small(), "precomputed": path}))]
)
def test_what_is_no_archive_is_refused(tmp_path, read):
    with pytest.raises(ConfigError, match=r"^precomputed: .*none\.zip is not there$"):
        read(str(tmp_path / "none.zip"))


def test_without_an_archive_there_is_nothing_to_check():
    check_archive(load(small()))
