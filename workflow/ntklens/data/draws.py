"""Draws random training sets from a pool. Each follows from its seed alone."""

import numpy as np

from ntklens.data.errors import UnsuitableDataError


def draw(pool_size, samples, seed):
    """Draws ``samples`` positions (samples,) in the pool, in random order and without repeats.

    Draws from the same seed are nested: a smaller one is the beginning of a larger one, so that
    curves along data size compare like with like. Raises UnsuitableDataError where the pool has too few.
    """
    if samples > pool_size:
        raise UnsuitableDataError(f"cannot draw {samples} training samples from a pool of {pool_size}")
    return np.random.default_rng([0, seed]).permutation(pool_size)[:samples]


def balanced_draw(labels, samples, seed):
    """Draws as `draw` does, but equally many of each class. ``labels`` (pool,) are those of the pool.

    Raises UnsuitableDataError where ``samples`` is no multiple of the number of classes, or a class has too
    few.
    """
    classes, available = np.unique(labels, return_counts=True)
    each, rest = divmod(samples, len(classes))
    if rest:
        raise UnsuitableDataError(
            f"{samples} training samples cannot be shared equally by {len(classes)} classes: "
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
