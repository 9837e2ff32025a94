"""What a job asks a cluster for: memory and run time by the cost model, with margins, more at every attempt.

The model's seconds are those of one machine's cores. The margin covers cores half as fast, and more trials
or epochs than usual; a job that takes longer yet is killed, asks for more time, and resumes from its
checkpoint. Everything follows from the config, nothing from the machine.
"""

import math
from functools import cache, partial

from ntklens.costs.prices import Price, Sizes, calibration_price, training_price
from ntklens.costs.units import read_unit_costs
from ntklens.data.errors import DatasetError
from ntklens.data.npz_headers import npz_contents
from ntklens.data.registry import facts_of
from ntklens.planning.curves import entry_of, is_own_file
from ntklens.planning.settings import calibration_settings, target_epoch, training_settings

MEMORY_MARGIN = 1.5  # measured peaks lie a quarter above the model at most
RUN_TIME_MARGIN = 3.0
LEAST_MEMORY = 2000  # MB: Python and JAX alone take 450
LEAST_RUN_TIME = 15  # minutes: libraries may come slowly from a network's file system
CUDA_MEMORY = 4000  # MB on the host, assumed: CUDA's libraries and context; none was measured


def memory_mb(price, gpus, attempt=1):
    """Memory to request, in MB, in steps of 100; as much again at every further attempt.

    What a GPU holds is asked for on the host too: it comes from there and goes back.
    """
    asked = MEMORY_MARGIN * price.memory / 1e6 + (CUDA_MEMORY if gpus else 0)
    return attempt * 100 * math.ceil(max(asked, LEAST_MEMORY) / 100)


def run_time_minutes(price, gpus, attempt=1):
    """Run time to request, in minutes, on one core or on a GPU, where seconds are assumed; grows like memory.

    It need not double: a job that is tried again resumes from its checkpoint, and queues have limits.
    """
    seconds = price.gpu_seconds if gpus else price.core_seconds
    return attempt * max(math.ceil(RUN_TIME_MARGIN * seconds / 60), LEAST_RUN_TIME)


def sizes_of(config, curve):
    """The `Sizes` of a curve's dataset. Raises OSError or DatasetError where a user's file cannot be read."""
    dataset, asked = entry_of(config, curve)["dataset"], config["test_samples"]
    if is_own_file({"dataset": dataset}):
        shape, classes, samples, own_test = npz_contents(dataset)
        test = min(asked, own_test or samples)
        return Sizes(shape, classes, samples, samples - (own_test or test), test)
    facts = facts_of(dataset)
    test = facts.test_size(asked)
    return Sizes(facts.shape, facts.classes, facts.samples, facts.pool_size(test), test)


def price_of(config, units, curve, scale=None, seeds=range(0)):
    """The `Price` of training ``seeds`` of a curve at ``scale``; without these, of its calibration."""
    sizes = sizes_of(config, curve)
    if scale is None:
        return calibration_price(calibration_settings(config, curve), sizes, units)
    settings = training_settings(config, curve, scale)
    return training_price(settings, seeds, target_epoch(config), sizes, units)


class Requests:
    """What the jobs of a complete config ask for: training so many ``seeds`` of a curve at a ``scale``, or
    without these the curve's calibration.

    A job asks for as much as a first batch does, which finds nothing compiled; and for the least where its
    data cannot be read: Snakemake will say so, or the rule that reads them.
    """

    def __init__(self, config, gpus):
        self._price_of, self._gpus = cache(partial(price_of, config, read_unit_costs())), gpus

    def memory_mb(self, curve, scale=None, seeds=0, attempt=1):
        return memory_mb(self._price(curve, scale, range(seeds)), self._gpus, attempt)

    def run_time_minutes(self, curve, scale=None, seeds=0, attempt=1):
        return run_time_minutes(self._price(curve, scale, range(seeds)), self._gpus, attempt)

    def _price(self, *job):
        try:
            return self._price_of(*job)
        except (OSError, DatasetError):
            return Price({}, 0.0, 0.0, 0.0)
