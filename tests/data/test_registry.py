import subprocess
import sys
from pathlib import Path

import pytest
from ntklens.data.errors import DatasetError
from ntklens.data.published import FORMATS
from ntklens.data.registry import REGISTRY, facts_of, names, title
from ntklens.storage.import_closure import import_closure

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"
LOADING = {"dataset_files.py", "download.py", "loaders.py"}
SIZES = {
    "mnist-5k": (5000, None),
    "mnist-5k-4": (2000, None),
    "digits": (1797, None),
    "mnist": (70000, 60000),
    "fashion-mnist": (70000, 60000),
    "cifar-10": (60000, 50000),
    "cifar-4": (24000, 20000),
}
WITH_TEST_PART = [name for name, (_, test_first) in SIZES.items() if test_first]


def test_formats_of_all_datasets_that_are_read_from_files_are_known():
    assert set(FORMATS) == {name for name, facts in REGISTRY.items() if facts.files}


def test_names_and_titles():
    assert {name: title(name) for name in names()} == {
        "mnist-5k": "MNIST (5k)",
        "mnist-5k-4": "MNIST (5k, 4 classes)",
        "digits": "Digits (8×8)",
        "mnist": "MNIST",
        "fashion-mnist": "Fashion-MNIST",
        "cifar-10": "CIFAR-10",
        "cifar-4": "CIFAR-4",
        "mnist-modified": "MNIST (modified data)",
        "fashion-mnist-modified": "Fashion-MNIST (modified data)",
        "cifar-10-modified": "CIFAR-10 (modified data)",
        "cifar-4-modified": "CIFAR-4 (modified data)",
    }


def test_title_of_a_user_s_own_dataset_is_its_name():
    assert title("galaxies") == "galaxies"


def test_sizes_are_the_published_ones():
    assert {name: (facts.samples, facts.test_first) for name, facts in REGISTRY.items()} == SIZES


@pytest.mark.parametrize("name", WITH_TEST_PART)
def test_modified_data_differ_from_the_original_in_words_alone(name):
    original, modified = facts_of(name), facts_of(f"{name}-modified")
    assert (original.modified, modified.modified) == (False, True)
    for fact in ("samples", "classes", "shape", "test_first", "files"):
        assert getattr(modified, fact) == getattr(original, fact)
    assert f"no result is {original.title}'s own" in modified.description


@pytest.mark.parametrize("name", ["galaxies", "digits-modified", "mnist-modified-modified", "-modified", ""])
def test_unknown_dataset_raises_and_lists_the_allowed_ones(name):
    with pytest.raises(
        DatasetError, match=rf"unknown dataset '{name}'; allowed are mnist-5k, .*cifar-4-modified"
    ):
        facts_of(name)


@pytest.mark.parametrize("name", ["digits", "mnist-5k"])
def test_pool_is_what_the_test_samples_leave(name):
    facts = facts_of(name)
    assert facts.pool_size(300) == facts.samples - 300
    assert facts.test_size(300) == 300
    assert facts.most_test_samples == facts.samples - 1


@pytest.mark.parametrize("name", WITH_TEST_PART)
def test_own_test_part_is_given_as_far_as_it_goes(name):
    facts = facts_of(name)
    samples, test_first = SIZES[name]
    own = samples - test_first
    assert (facts.test_size(own - 1), facts.test_size(own), facts.test_size(10**6)) == (own - 1, own, own)
    assert facts.pool_size(300) == test_first
    assert facts.most_test_samples == own


def test_importing_it_needs_the_standard_library_alone():
    """Planning and figures import it, in environments without the loaders' libraries."""
    program = "import sys, ntklens.data.registry; print(*{name.split('.')[0] for name in sys.modules})"
    environment = {"PYTHONPATH": str(SCRIPTS.parent)}
    shown = subprocess.run(
        [sys.executable, "-S", "-c", program],
        capture_output=True,
        encoding="utf-8",
        env=environment,
        check=True,
    )
    assert set(shown.stdout.split()) - sys.stdlib_module_names == {"__main__", "ntklens"}


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.stem)
def test_fetch_alone_depends_on_loaders_and_nothing_on_downloads(script):
    """The bytes are checked, so the download affects no result: its module is imported by name."""
    used = LOADING & {path.name for path in import_closure(script) if path.parent.name == "data"}
    assert used == (LOADING - {"download.py"} if script.stem == "fetch" else set())
