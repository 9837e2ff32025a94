"""An archive of results draws the same figures in a fresh folder, and a wrong one is refused by name."""

import json
import os
import zipfile

import pytest

ARCHIVE = "results/smoke/smoke.zip"
FIGURES = [f"results/smoke/figures/figure-{number}.json" for number in range(1, 11)]
TABLES = [f"results/smoke/tables/paper-comparison.{suffix}" for suffix in ("csv", "md", "html")]
RESTORE = {
    "gallery": 1,
    "restore": 1,
    "adaptation_rate": 2,
    "power_laws": 2,
    "transition": 1,
    "ends": 1,
    "comparison": 1,
}


def numbers(path):
    content = json.loads(path.read_text(encoding="utf-8"))
    return {key: value for key, value in content.items() if key not in ("provenance", "content_sha256")}


def precomputed(repository, *arguments, archive=ARCHIVE):
    """Snakemake with an archive alone, in a folder without a config of one's own."""
    return repository.run("snakemake", "--config", f"precomputed={archive}", *arguments)


def pack(repository):
    result = repository.snakemake("--", "archive")
    assert result.returncode == 0, result.stdout + result.stderr
    return (repository / ARCHIVE).read_bytes()


def place(repository, content):
    (repository / ARCHIVE).parent.mkdir(parents=True, exist_ok=True)
    (repository / ARCHIVE).write_bytes(content)


def test_a_finished_repository_trains_nothing_for_its_archive(finished):
    assert finished.jobs("archive") == {"archive": 1}


def test_the_archive_draws_the_same_figures_and_tables_in_a_fresh_folder(edited, repository):
    place(repository, pack(edited))
    result = precomputed(repository)
    assert result.returncode == 0, result.stdout + result.stderr
    assert not (repository / "results/smoke/runs").exists()
    assert not (repository / "results/datasets").exists()
    for name in FIGURES:
        assert numbers(repository / name) == numbers(edited / name), name
    for name in TABLES:
        assert (repository / name).read_bytes() == (edited / name).read_bytes(), name
    traced = repository.run("python", "-m", "ntklens", "trace", "--brief", *FIGURES, PYTHONPATH="workflow")
    assert traced.returncode == 0, traced.stdout + traced.stderr
    assert traced.stdout.count(f"those from {ARCHIVE} without their runs") == len(FIGURES)
    again = repository.jobs("--config", f"precomputed={ARCHIVE}", "analysis={smoothing_epochs: 2}")
    assert "train" not in again
    assert again["adaptation_rate"] == 2


@pytest.fixture(scope="module")
def packed(finished, tmp_path_factory):
    """The bytes of an archive with the smoke config's averages."""
    out = tmp_path_factory.mktemp("packed") / "smoke.zip"
    results = [*finished.folder.glob("results/smoke/averages/**/*.h5")]
    results += finished.folder.glob("results/smoke/fits/**/infinite-width.json")
    config = (finished / "config/smoke.yaml").read_text(encoding="utf-8")
    settings = json.dumps({"name": "smoke", "config": config})
    names = [str(path.relative_to(finished.folder)) for path in results]
    runs = [
        str(path.relative_to(finished.folder)) for path in finished.folder.glob("results/smoke/runs/**/*.h5")
    ]
    script = ("python", "workflow/scripts/archive.py", "--settings", settings, "--out", str(out))
    result = finished.run(*script, "--results", *names, "--runs", *runs, PYTHONPATH="workflow")
    assert result.returncode == 0, result.stderr
    return out.read_bytes()


def test_nothing_is_trained(repository, packed):
    place(repository, packed)
    figures = {f"figure_{number}": 1 for number in range(1, 11)}
    assert repository.jobs("--config", f"precomputed={ARCHIVE}") == RESTORE | figures


def test_what_needs_runs_is_no_target(repository, packed):
    place(repository, packed)
    listed = precomputed(repository, "--list-rules").stdout.splitlines()
    rules = {line.split()[0] for line in listed if line}
    assert {"comparison", "restore"} <= rules
    assert not {"archive", "robustness", "variance_components", "verify", "neural_tangents"} & rules


def test_another_archive_is_noticed_whatever_its_time(repository, packed):
    place(repository, packed)
    result = precomputed(repository, "--", "restore")
    assert result.returncode == 0, result.stdout + result.stderr
    asked = ("--config", f"precomputed={ARCHIVE}", "--", "restore")
    assert repository.jobs(*asked) == {}
    with zipfile.ZipFile(repository / ARCHIVE, "a") as archive:
        archive.comment = b"other bytes"
    os.utime(repository / ARCHIVE, (0, 0))
    assert repository.jobs(*asked) == {"restore": 1}


def test_a_damaged_archive_is_refused_by_name(repository, packed):
    place(repository, packed[: len(packed) // 2])
    result = precomputed(repository, "-n")
    assert result.returncode != 0
    assert f"precomputed: {ARCHIVE} is damaged, or no archive of ntk-lens" in result.stdout


def test_a_damaged_file_in_an_archive_is_refused_by_name(repository, packed):
    place(repository, packed)
    name = "averages/model-scaling/digits/three-layer.h5"
    with zipfile.ZipFile(repository / ARCHIVE) as archive:
        content = {own: archive.read(own) for own in archive.namelist()}
    content[name] = content[name][:-1] + b"?"
    with zipfile.ZipFile(repository / ARCHIVE, "w") as archive:
        for own, text in content.items():
            archive.writestr(own, text)
    result = precomputed(repository, "--", "results/smoke/averages/model-scaling/digits/three-layer.h5")
    assert result.returncode != 0
    assert (
        f"restore: {ARCHIVE} is damaged: {name} in it is not what was written"
        in result.stdout + result.stderr
    )
    assert not list(repository.folder.glob("results/smoke/averages/**/*.h5"))


def test_an_archive_of_another_config_is_refused_by_name(repository, packed):
    place(repository, packed)
    result = repository.snakemake("-n", "--config", f"precomputed={ARCHIVE}", "split_seed=1")
    assert result.returncode != 0
    assert f"precomputed: {ARCHIVE} is an archive of the config 'smoke'. It holds averages/" in result.stdout


def test_several_archives_need_a_config(repository, packed):
    place(repository, packed)
    (repository / "second.zip").write_bytes(packed)
    both = f"precomputed=[{ARCHIVE},second.zip]"
    assert repository.jobs("--config", both)["restore"] == 1
    result = repository.run("snakemake", "-n", "--config", both)
    assert result.returncode != 0
    assert f"precomputed: none of {ARCHIVE}, second.zip holds averages/" in result.stdout
    assert "Name a config of which they hold all curves, by --configfile" in result.stdout


def test_a_missing_archive_is_refused_by_name(repository):
    result = precomputed(repository, "-n", archive="published/none.zip")
    assert result.returncode != 0
    assert "precomputed: published/none.zip is not there" in result.stdout
