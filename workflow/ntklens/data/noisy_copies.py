"""Training sets with fewer features: part of each class replaced by noisy copies of the rest (App. D.2).

Every set has the same size and the same labels, so that runs compare at equal epoch. Which samples are kept,
how often each is copied, and the noise follow from a seed alone.
"""

import numpy as np
from jaxtyping import Float, Int

from ntklens.data.errors import UnsuitableDataError


def noisy_copies(
    images: Float[np.ndarray, "d n0"],
    labels: Int[np.ndarray, " d"],
    removed_percent: int,
    sigma: float,
    seed: int,
) -> tuple[Float[np.ndarray, "d n0"], Int[np.ndarray, " d"]]:
    """``images`` with ``removed_percent`` of every class replaced by copies of those that are kept.

    Returns the new images and ``copied_from``, the row that each of them comes from: its own if it is kept,
    else that of a kept sample of the same class, to which Gaussian noise of standard deviation ``sigma`` is
    added. Of the n samples of a class n · removed_percent / 100, rounded, are replaced, and each kept sample
    is copied equally often, up to one. Labels do not change.

    Pixels lie in [0, 1], which the paper does not state. Nor does it state whether noisy pixels are clipped
    to this range; here they are not. With the same seed, the samples that are kept at a higher level are kept
    at a lower one too, and a replaced row has the same noise at every level. Raises UnsuitableDataError where
    no sample of a class would be kept.
    """
    copied_from = copied_rows(labels, removed_percent, seed)
    noise = np.random.default_rng([3, seed]).standard_normal(images.shape, dtype=images.dtype.type)
    replaced = copied_from != np.arange(len(copied_from))
    copies = images[copied_from]
    copies[replaced] += images.dtype.type(sigma) * noise[replaced]
    return copies, copied_from


def copied_rows(labels: Int[np.ndarray, " d"], removed_percent: int, seed: int) -> Int[np.ndarray, " d"]:
    """The rows that the images of `noisy_copies` come from."""
    if not 0 <= removed_percent < 100:
        raise ValueError(f"removed_percent is {removed_percent}, not from 0 to below 100")
    rng = np.random.default_rng([2, seed])
    copied_from = np.arange(len(labels))
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        kept = len(rows) - round(len(rows) * removed_percent / 100)
        if kept == 0:
            raise UnsuitableDataError(
                f"removing {removed_percent} % of the {len(rows)} samples of class {label} keeps none: "
                "take more train_samples, or remove less"
            )
        copied_from[rows] = rows[np.arange(len(rows)) % kept]
    return copied_from
