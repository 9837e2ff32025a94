"""One core and many make the same bytes."""

import shutil

import pytest

# Folders of files that hold how long jobs took, and of digests of code, which a dry run of any config writes.
BESIDES = ("logs", "benchmarks", "code")


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
    """The bytes of every file in the results folder, by its path there, but those in `BESIDES`."""
    folder = repository / "results"
    paths = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path): (folder / path).read_bytes() for path in paths if not set(BESIDES) & set(path.parts)}
