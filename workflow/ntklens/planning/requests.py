"""The memory and run time that a job requests from a cluster: those of the cost model, with a margin.

The model's seconds are those of one machine's cores. The margin covers cores half as fast, and more trials
or epochs than usual. A job that takes even longer is killed, requests more time, and resumes from its
checkpoint. Requests depend on the config only, not on the machine.
"""

import math
from functools import cache, partial

from ntklens.costs.prices import Price, Sizes, calibration_price, training_price
from ntklens.costs.units import UnitCosts, read_unit_costs
from ntklens.data.errors import DatasetError
from ntklens.data.npz_headers import npz_contents
from ntklens.data.registry import facts_of
from ntklens.planning.config import Config
from ntklens.planning.config.points import is_own_file
from ntklens.planning.curves import entry_of
from ntklens.planning.settings import calibration_settings, target_epoch, training_settings
from ntklens.storage.curve import Curve

MEMORY_MARGIN = 1.5  # measured peaks lie at most a quarter above the model
RUN_TIME_MARGIN = 3.0
LEAST_MEMORY = 2000  # MB: Python and JAX alone take 450
LEAST_RUN_TIME = 15  # minutes: libraries may load slowly from a network file system
CUDA_MEMORY = 4000  # MB on the host for CUDA's libraries and context: assumed, not measured
UNKNOWN = Price({"training": 0.0}, 0.0, 0.0, 0.0)  # of a job whose data cannot be read


def memory_mb(price: Price, gpus: int, attempt: int = 1) -> int:
    """Memory to request, in MB, in steps of 100; every further attempt requests as much again.

    The memory that a GPU holds is requested on the host too, because data pass through the host.
    """
    asked = MEMORY_MARGIN * price.memory / 1e6 + (CUDA_MEMORY if gpus else 0)
    return attempt * 100 * math.ceil(max(asked, LEAST_MEMORY) / 100)


def run_time_minutes(price: Price, gpus: int, attempt: int = 1) -> int:
    """Run time to request, in minutes, on one core or on a GPU, where seconds are assumed.

    It grows by the same amount with every attempt. It need not double: a job that is tried again resumes from
    its checkpoint, and queues have limits.
    """
    seconds = price.gpu_seconds if gpus else price.core_seconds
    return attempt * max(math.ceil(RUN_TIME_MARGIN * seconds / 60), LEAST_RUN_TIME)


def sizes_of(config: Config, curve: Curve) -> Sizes:
    """The `Sizes` of a curve's dataset. Raises OSError or DatasetError if a user's file cannot be read."""
    dataset, asked = entry_of(config, curve).dataset, config.test_samples
    if is_own_file(dataset):
        shape, classes, samples, own_test = npz_contents(dataset)
        test = min(asked, own_test or samples)
        return Sizes(shape, classes, samples, samples - (own_test or test), test)
    facts = facts_of(dataset)
    test = facts.test_size(asked)
    return Sizes(facts.shape, facts.classes, facts.samples, facts.pool_size(test), test)


def price_of(
    config: Config, units: UnitCosts, curve: Curve, scale: int | None = None, seeds: range = range(0)
) -> Price:
    """The `Price` of training ``seeds`` of a curve at ``scale``; without a scale, that of its calibration."""
    sizes = sizes_of(config, curve)
    if scale is None:
        return calibration_price(calibration_settings(config, curve), sizes, units)
    settings = training_settings(config, curve, scale)
    return training_price(settings, seeds, target_epoch(config), sizes, units)


class Requests:
    """What the jobs of a config request: training a number of ``seeds`` of a curve at a ``scale`` or, without
    these two, the curve's calibration.

    A job requests as much as the first batch of seeds needs, which has to compile its programs. It requests
    the least if its data cannot be read; Snakemake, or the rule that reads the data, then reports that.
    """

    def __init__(self, config: Config, gpus: int) -> None:
        self._price_of, self._gpus = cache(partial(price_of, config, read_unit_costs())), gpus

    def memory_mb(self, curve: Curve, scale: int | None = None, seeds: int = 0, attempt: int = 1) -> int:
        return memory_mb(self._price(curve, scale, range(seeds)), self._gpus, attempt)

    def run_time_minutes(
        self, curve: Curve, scale: int | None = None, seeds: int = 0, attempt: int = 1
    ) -> int:
        return run_time_minutes(self._price(curve, scale, range(seeds)), self._gpus, attempt)

    def seconds(self, curve: Curve, scale: int | None = None, seeds: range = range(0)) -> float:
        """Seconds that the job should take, without a margin, on one core or on a GPU."""
        price = self._price(curve, scale, seeds)
        return price.gpu_seconds if self._gpus else price.core_seconds

    def _price(self, curve: Curve, scale: int | None, seeds: range) -> Price:
        try:
            return self._price_of(curve, scale, seeds)
        except (OSError, DatasetError):
            return UNKNOWN
