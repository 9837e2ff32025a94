"""One core and many make the same bytes."""

import shutil

import pytest

TIMES = ("logs", "benchmarks")  # folders of files that hold how long jobs took


@pytest.mark.slow
def test_every_result_is_the_same_whatever_the_number_of_cores(finished, repository):
    # The compiled programs too: compiling takes most of the time, and is not what depends on cores.
    shutil.copytree(finished / ".cache", repository / ".cache")
    result = repository.snakemake("--cores", "1")
    assert result.returncode == 0, result.stdout + result.stderr
    found, expected = results(repository), results(finished)
    assert set(found) == set(expected)
    assert [name for name, content in found.items() if content != expected[name]] == []


def results(repository):
    """The bytes of every file in the results folder, by its path there, but those of `TIMES`."""
    folder = repository / "results"
    paths = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path): (folder / path).read_bytes() for path in paths if not set(TIMES) & set(path.parts)}
