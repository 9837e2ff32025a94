"""Random draws of training sets from a pool. Each depends on its seed alone."""

import numpy as np
from jaxtyping import Int, Integer

from ntklens.data.errors import UnsuitableDataError


def draw(pool_size: int, samples: int, seed: int) -> Int[np.ndarray, " samples"]:
    """Draw the rows of ``samples`` samples of the pool, in random order and without repeats.

    Draws from the same seed are nested: a smaller draw is the beginning of a larger one, so that points of
    different data size differ by added samples only. Raises UnsuitableDataError if the pool is too small.
    """
    if samples > pool_size:
        raise UnsuitableDataError(f"cannot draw {samples} training samples from a pool of {pool_size}")
    return np.random.default_rng([0, seed]).permutation(pool_size)[:samples]


def balanced_draw(
    labels: Integer[np.ndarray, " pool"], samples: int, seed: int
) -> Int[np.ndarray, " samples"]:
    """Draw as `draw` does, but equally many samples of each class. ``labels`` are the pool's.

    A larger draw from the same seed contains a smaller one, in another order. Raises UnsuitableDataError if
    ``samples`` is not a multiple of the number of classes, or a class has too few samples.
    """
    classes, available = np.unique(labels, return_counts=True)
    each, rest = divmod(samples, len(classes))
    if rest:
        raise UnsuitableDataError(
            f"{samples} training samples cannot be divided equally among {len(classes)} classes: "
            f"make train_samples a multiple of {len(classes)}"
        )
    if each > available.min():
        scarce = classes[np.argmin(available)]
        raise UnsuitableDataError(
            f"{samples} training samples take {each} of each class, but class {scarce} has "
            f"{available.min()} in the pool: make train_samples at most {available.min() * len(classes)}"
        )
    rng = np.random.default_rng([1, seed])
    drawn = [rng.permutation(np.flatnonzero(labels == label))[:each] for label in classes]
    return rng.permutation(np.concatenate(drawn))
