"""Training sets with fewer features: part of each class replaced by noisy copies of the rest (App. D.2).

Every set has the same size and the same labels, so that runs compare at equal epoch. Which samples
are kept, which copies they get and the noise follow from a seed alone.
"""

import numpy as np


def balanced_draw(labels, samples, seed):
    """Positions in a pool with ``labels`` (pool,) of a random training set, equally many of each class.

    (samples,), without repeats, in random order. Raises ValueError where ``samples`` is no multiple of
    the number of classes, or a class has too few.
    """
    classes, available = np.unique(labels, return_counts=True)
    each, rest = divmod(samples, len(classes))
    if rest:
        raise ValueError(
            f"{samples} training samples cannot be shared equally by {len(classes)} classes: "
            f"make train_samples a multiple of {len(classes)}"
        )
    if each > available.min():
        scarce = classes[np.argmin(available)]
        raise ValueError(
            f"{samples} training samples take {each} of each class, but class {scarce} has "
            f"{available.min()} in the pool: make train_samples at most {available.min() * len(classes)}"
        )
    rng = np.random.default_rng([1, seed])
    drawn = [rng.permutation(np.flatnonzero(labels == label))[:each] for label in classes]
    return rng.permutation(np.concatenate(drawn))


def noisy_copies(images, labels, removed_percent, sigma, seed):
    """``images`` (d, n₀) with ``removed_percent`` of every class replaced by copies of what is kept.

    Returns the new images and ``source`` (d,), the row that each of them comes from: its own if kept,
    else a kept sample of the same class, to which Gaussian noise of standard deviation ``sigma`` is
    added. Of the n samples of a class n · removed_percent / 100, rounded, are replaced, and each kept
    one is copied equally often, up to one. Labels stay as they are.

    Pixels count from 0 to 1; the paper states neither that nor whether it cuts off what the noise takes
    beyond: here nothing is cut off. From one seed, what is kept at a higher level is kept at a lower one
    too, and a replaced row has the same noise at every level. Raises ValueError where no sample of a
    class would be kept.
    """
    source = source_rows(labels, removed_percent, seed)
    noise = np.random.default_rng([3, seed]).standard_normal(images.shape, dtype=images.dtype)
    replaced = source != np.arange(len(source))
    copies = images[source]
    copies[replaced] += images.dtype.type(sigma) * noise[replaced]
    return copies, source


def source_rows(labels, removed_percent, seed):
    """The rows (d,) that the images of `noisy_copies` come from."""
    if not 0 <= removed_percent < 100:
        raise ValueError(f"removed_percent is {removed_percent}, not from 0 to below 100")
    rng = np.random.default_rng([2, seed])
    source = np.arange(len(labels))
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        kept = len(rows) - round(len(rows) * removed_percent / 100)
        if kept == 0:
            raise ValueError(
                f"removing {removed_percent} % of the {len(rows)} samples of class {label} keeps none: "
                "take more train_samples, or remove less"
            )
        source[rows] = rows[np.arange(len(rows)) % kept]
    return source
