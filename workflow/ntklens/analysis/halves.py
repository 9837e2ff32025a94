"""Two halves of an ensemble, each averaged as if it were the whole: a repetition with other seeds.

What is found in both halves does not hang on single seeds. Halves share the draws of the data, so they say
nothing about these.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Int

from ntklens.analysis.averages import mean_of
from ntklens.storage.averages import Average


class HalvesError(ValueError):
    """An ensemble cannot be divided. The message says why."""


def of_seeds(average: Average, seeds: Sequence[int] | Int[np.ndarray, " chosen"]) -> Average:
    """``average`` over those of its members whose seeds are among ``seeds``.

    Means along training are recomputed from the members' own curves. Quantities without such curves, the
    accuracies among them, are dropped. Errors are standard errors over members, with which draws of NTK
    samples have been averaged. Raises HalvesError for an average that holds no curves of members, or that has
    none of ``seeds``.
    """
    if not average.members:
        raise HalvesError(f"scale {average.scale} has no curves of single members")
    chosen = np.isin(average.seeds, seeds)
    if not chosen.any():
        raise HalvesError(f"scale {average.scale} has none of the seeds {list(seeds)}")
    members = {name: own[chosen] for name, own in average.members.items()}
    along = {name: mean_of(average.along[name].epoch, own) for name, own in members.items()}
    test_loss = along["test_loss"]
    return replace(
        average,
        seeds=average.seeds[chosen],
        minimum_epoch=int(test_loss.epoch[np.argmin(test_loss.mean)]),
        along=along,
        minimum={name: own[chosen] for name, own in average.minimum.items()},
        members=members,
        initial={name: own[chosen] for name, own in average.initial.items()},
    )


def halves(averages: Sequence[Average]) -> tuple[list[Average], list[Average]]:
    """A curve of the lower and one of the upper half of the seeds that some point of ``averages`` has.

    Raises HalvesError as `of_seeds` does, and where a half has fewer than two members at a point: it would
    have no intervals.
    """
    every = np.unique(np.concatenate([average.seeds for average in averages]))
    lower, upper = ([of_seeds(average, seeds) for average in averages] for seeds in np.array_split(every, 2))
    fewest = min(len(average.seeds) for average in (*lower, *upper))
    if fewest < 2:
        raise HalvesError("a half of the seeds has a single member at some scale, two are needed")
    return lower, upper
