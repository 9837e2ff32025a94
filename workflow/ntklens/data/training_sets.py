"""Training sets of a point's seeds: draws from the pool, and what the point's `DataSettings` do to them.

The code behind a setting that is None is not imported, so that editing it reruns only what uses it.
`import_closure` does not see it: rules name the `OPTIONAL_MODULES` that their settings need.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ntklens.data.draws import balanced_draw, draw
from ntklens.data.settings import OPTIONAL_MODULES, DataSettings, ImageSize
from ntklens.data.subsets import Subset


@dataclass(frozen=True)
class TrainingSet:
    """The images and labels that a seed trains on, and where they come from.

    ``rows`` are the samples' rows in the pool. ``copied_from`` are rows of the training set itself: a
    sample's own, or that of the sample which it is a noisy copy of; None without noisy copies.
    """

    images: Float[np.ndarray, "d n0"]
    labels: Int[np.ndarray, " d"]
    rows: Int[np.ndarray, " d"]
    copied_from: Int[np.ndarray, " d"] | None = None


def sized(subset: Subset, image_size: ImageSize | None) -> Subset:
    """Returns ``subset`` with its images brought to ``image_size``; None leaves them as they are."""
    if image_size is None:
        return subset
    to_size, shape = _optional("image_size").to_size, subset.image_shape
    pixels, fit = image_size.pixels, image_size.fit
    return replace(
        subset,
        pool_images=to_size(subset.pool_images, shape, pixels, fit),
        test_images=to_size(subset.test_images, shape, pixels, fit),
        image_shape=(pixels, pixels, shape[2]),
    )


def training_sets(subset: Subset, data: DataSettings, seeds: Sequence[int]) -> list[TrainingSet]:
    """Returns the `TrainingSet` of each of ``seeds``: one object for all of them where they share one draw.

    Images of ``subset`` are not resized here: call `sized` before. Raises UnsuitableDataError where the
    pool has too few samples.
    """
    draw_seeds = [seed if data.draw_seed is None else data.draw_seed for seed in seeds]
    drawn = {draw_seed: _training_set(subset, data, draw_seed) for draw_seed in dict.fromkeys(draw_seeds)}
    return [drawn[draw_seed] for draw_seed in draw_seeds]


def _training_set(subset: Subset, data: DataSettings, draw_seed: int) -> TrainingSet:
    rows = _drawn_rows(subset.pool_labels, data, draw_seed)
    drawn = TrainingSet(subset.pool_images[rows], subset.pool_labels[rows], rows)
    if data.noisy_copies is None:
        return drawn
    removed_percent, sigma = data.noisy_copies.removed_percent, data.noisy_copies.sigma
    noisy_copies = _optional("noisy_copies").noisy_copies
    images, copied_from = noisy_copies(drawn.images, drawn.labels, removed_percent, sigma, draw_seed)
    return replace(drawn, images=images, copied_from=copied_from)


def _drawn_rows(
    labels: Int[np.ndarray, " pool"], data: DataSettings, draw_seed: int
) -> Int[np.ndarray, " d"]:
    if data.balanced:
        return balanced_draw(labels, data.train_samples, draw_seed)
    return draw(len(labels), data.train_samples, draw_seed)


def _optional(key: str) -> Any:
    return import_module(OPTIONAL_MODULES[key])
