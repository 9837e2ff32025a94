"""Training sets of a point's seeds: draws from the pool, and what is done to them.

The settings of a point's data are a dictionary of
    train_samples   how many samples are drawn
    balanced        whether a draw holds equally many of each class
    draw_seed       the seed of the draw; None takes each member's own
    noisy_copies    None, or the share of each class to replace by noisy copies: {"removed_percent", "sigma"}
    image_size      None, or the side to bring images to: {"pixels", "fit": "resized" or "zero-padded"}
The code behind a setting that is None is not imported, so that editing it reruns only what uses it.
`import_closure` does not see it: rules name the `OPTIONAL_MODULES` that their settings ask for.
"""

from dataclasses import dataclass, replace
from importlib import import_module

import numpy as np

from ntklens.data.draws import balanced_draw, draw
from ntklens.data.settings import OPTIONAL_MODULES


@dataclass(frozen=True)
class TrainingSet:
    """Images (d, n₀) and labels (d,), and where they come from.

    ``rows`` (d,) are the samples' rows in the pool. ``copied_from`` (d,) are rows of the training set itself:
    a sample's own, or that of the sample which it is a noisy copy of; None without noisy copies.
    """

    images: np.ndarray
    labels: np.ndarray
    rows: np.ndarray
    copied_from: np.ndarray | None = None


def sized(subset, data):
    """Returns ``subset`` with its images brought to the size that the settings ``data`` ask for."""
    if data["image_size"] is None:
        return subset
    to_size, shape = _optional("image_size").to_size, subset.image_shape
    pixels = data["image_size"]["pixels"]
    return replace(
        subset,
        pool_images=to_size(subset.pool_images, shape, **data["image_size"]),
        test_images=to_size(subset.test_images, shape, **data["image_size"]),
        image_shape=(pixels, pixels, shape[2]),
    )


def training_sets(subset, data, seeds):
    """Returns the `TrainingSet` of each of ``seeds``: one object for all of them where they share one draw.

    Images are as ``subset`` has them: `sized` comes before. Raises UnsuitableDataError where the pool
    has too few samples.
    """
    draw_seeds = [seed if data["draw_seed"] is None else data["draw_seed"] for seed in seeds]
    drawn = {draw_seed: _training_set(subset, data, draw_seed) for draw_seed in dict.fromkeys(draw_seeds)}
    return [drawn[draw_seed] for draw_seed in draw_seeds]


def _training_set(subset, data, draw_seed):
    rows = _drawn_rows(subset.pool_labels, data, draw_seed)
    drawn = TrainingSet(subset.pool_images[rows], subset.pool_labels[rows], rows)
    if data["noisy_copies"] is None:
        return drawn
    noisy_copies = _optional("noisy_copies").noisy_copies
    images, copied_from = noisy_copies(drawn.images, drawn.labels, seed=draw_seed, **data["noisy_copies"])
    return replace(drawn, images=images, copied_from=copied_from)


def _drawn_rows(labels, data, draw_seed):
    if data["balanced"]:
        return balanced_draw(labels, data["train_samples"], draw_seed)
    return draw(len(labels), data["train_samples"], draw_seed)


def _optional(key):
    return import_module(OPTIONAL_MODULES[key])
