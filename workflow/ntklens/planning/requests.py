"""What a job asks a cluster for: memory and run time by the cost model, with margins, more at every attempt.

The model's seconds are those of one machine's cores. The margin covers cores half as fast, and more trials
or epochs than usual; a job that takes longer yet is killed, asks for more time, and goes on from its
checkpoint. Everything follows from the config, nothing from the machine.
"""

import math

from ntklens.costs import prices as costs
from ntklens.costs.units import read_unit_costs
from ntklens.data.errors import DatasetError

MEMORY_MARGIN = 1.5  # measured peaks lie a quarter above the model at most
RUNTIME_MARGIN = 3.0
LEAST_MEMORY = 2000  # MB: Python and JAX alone take 450
LEAST_RUNTIME = 15  # minutes: libraries may come slowly from a network's file system
CUDA_MEMORY = 4000  # MB on the host, assumed: CUDA's libraries and context; none was measured


def memory_mb(job, gpus, attempt=1):
    """Of a `costs.Job` in MB, in steps of 100; as much again at every further attempt.

    What a GPU holds is asked for on the host too: it comes from there and goes back.
    """
    asked = MEMORY_MARGIN * job.memory / 1e6 + (CUDA_MEMORY if gpus else 0)
    return attempt * 100 * math.ceil(max(asked, LEAST_MEMORY) / 100)


def runtime_minutes(job, gpus, attempt=1):
    """Of a `costs.Job` on one core, or on a GPU, where seconds are assumed; grows as the memory does.

    It need not double: a job that is tried again goes on from its checkpoint, and queues have limits.
    """
    seconds = job.gpu_seconds if gpus else job.core_seconds
    return attempt * max(math.ceil(RUNTIME_MARGIN * seconds / 60), LEAST_RUNTIME)


class Requests:
    """The calibrations and runs of a complete config, each priced once."""

    def __init__(self, config, gpus):
        self._config, self._gpus = config, gpus
        self._units = read_unit_costs()
        self._data, self._jobs = {}, {}

    def memory_mb(self, curve, scale=None, seeds=None, attempt=1):
        """Of a job of so many ``seeds`` at one scale of ``curve``; of its calibration without both."""
        job = self._job(curve, scale, seeds)
        return memory_mb(job, self._gpus, attempt) if job else LEAST_MEMORY

    def runtime_minutes(self, curve, scale=None, seeds=None, attempt=1):
        """Of the same job."""
        job = self._job(curve, scale, seeds)
        return runtime_minutes(job, self._gpus, attempt) if job else LEAST_RUNTIME

    def _job(self, curve, scale, seeds):
        """Its `costs.Job`, priced as the first batch, which finds least compiled.

        None where its data cannot be read: that is for Snakemake to say, or for the rule that reads them.
        """
        key = (curve, scale, seeds)
        if key not in self._jobs:
            data = self._data_of(curve)
            self._jobs[key] = data and self._priced(curve, scale, seeds, data)
        return self._jobs[key]

    def _priced(self, curve, scale, seeds, data):
        if scale is None:
            return costs.calibration_job(self._config, curve, data, self._units)
        return costs.run_job(self._config, curve, scale, (0, seeds - 1), data, self._units)

    def _data_of(self, curve):
        if curve.dataset not in self._data:
            try:
                self._data[curve.dataset] = costs.data_of(self._config, curve)
            except (OSError, DatasetError):
                self._data[curve.dataset] = None
        return self._data[curve.dataset]
