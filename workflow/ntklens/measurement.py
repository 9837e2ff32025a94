"""One batch of seeds, trained and measured: the content of a run file."""

from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ntklens import device_spectrum, spectrum
from ntklens.ntk import ntk_matrix
from ntklens.trajectory import DIVERGED, OK, UNFINISHED, Minimum, Trajectory


def measure_batch(
    point, subset, seeds, adam, learning_rate, schedule, save_parameters, workers=1, report=lambda *_: None
):
    """Train ``seeds`` of ``point`` and return their `Trajectory`, in the order of ``seeds``.

    Spectra are taken at the schedule's snapshots and at each seed's minimum, by ``workers`` threads
    beside the training. Seeds below ``save_parameters`` keep their parameters at the minimum.
    ``report(epoch, members)`` follows training.
    """
    model = point.model(subset)
    ntk_images = jnp.asarray(subset.ntk_images)
    kernel = jax.jit(lambda params: ntk_matrix(model, params, ntk_images, lower=True))
    with SpectrumWorkers(workers) as spectra:
        snapshots = [{} for _ in seeds]  # for each seed: epoch -> eigenvalues to come
        for epoch, members in point.train(subset, seeds, adam, learning_rate, schedule):
            report(epoch, members)
            if epoch in schedule.snapshots:
                params = _on_host(members.params)
                for index, own in enumerate(snapshots):
                    own[epoch] = spectra.submit(kernel(_member(params, index)))
        members, rows = _on_host(members), point.train_indices(subset, seeds)
        minima = [spectra.submit(kernel(_member(members.minimum.params, i)), True) for i in range(len(seeds))]
    return [
        _trajectory(
            seed,
            _member(members, index),
            schedule,
            snapshots[index],
            minima[index].result(),
            rows[index],
            keep_parameters=seed < save_parameters,
        )
        for index, seed in enumerate(seeds)
    ]


class Spectra(NamedTuple):
    """Of one NTK: its trace, the eigenvalues of Θ̂, and those of Θ where they were asked for."""

    ntk_trace: float
    eigenvalues: np.ndarray
    ntk_eigenvalues: np.ndarray | None


class SpectrumWorkers:
    """Threads that take spectra while the caller goes on; LAPACK lets go of Python's lock.

    At most two kernels a thread wait their turn: `submit` then waits too, so that memory stays bounded.
    """

    def __init__(self, threads):
        self._pool = ThreadPoolExecutor(threads)
        self._places = BoundedSemaphore(2 * threads)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._pool.shutdown()

    def submit(self, theta, of_theta_too=False):
        """A future `Spectra` of ``theta`` (N, N), of which the lower triangle counts."""
        self._places.acquire()
        future = self._pool.submit(_spectra, theta, of_theta_too)
        future.add_done_callback(lambda _: self._places.release())
        return future


def _spectra(theta, of_theta_too):
    if device_spectrum.on_accelerator(theta):
        solver = device_spectrum
    else:
        solver, theta = spectrum, np.asarray(theta)
    return Spectra(
        ntk_trace=float(np.sum(np.asarray(theta.diagonal()), dtype=np.float64)),
        eigenvalues=np.asarray(solver.eigenvalues(solver.normalised(theta))),
        ntk_eigenvalues=np.asarray(solver.eigenvalues(theta)) if of_theta_too else None,
    )


def _trajectory(seed, member, schedule, snapshots, at_minimum, train_indices, keep_parameters):
    finished = int(member.stop_epoch) >= 0
    last = int(member.stop_epoch) if finished else schedule.max_epochs
    curves = {name: curve[: last + 1] for name, curve in member.curves.items()}
    trace_epoch = np.arange(0, last + 1, schedule.trace_every, dtype=np.int32)
    # A diverged seed ends early; the others reach every snapshot.
    reached = [epoch for epoch in snapshots if epoch <= last]
    return Trajectory(
        seed=seed,
        status=_status(finished, curves),
        curves=curves,
        trace_epoch=trace_epoch,
        ntk_trace=member.traces[: len(trace_epoch)],
        spectrum_epoch=np.array(reached, dtype=np.int32),
        eigenvalues=np.stack([snapshots[epoch].result().eigenvalues for epoch in reached]),
        minimum=_minimum(member.minimum, curves, at_minimum, keep_parameters),
        train_indices=train_indices,
    )


def _status(finished, curves):
    if not np.isfinite(curves["train_loss"][-1] + curves["test_loss"][-1]):
        return DIVERGED
    return OK if finished else UNFINISHED


def _minimum(minimum, curves, spectra, keep_parameters):
    epoch = int(minimum.epoch)
    return Minimum(
        epoch=epoch,
        train_loss=float(curves["train_loss"][epoch]),
        test_loss=float(minimum.test_loss),
        ntk_trace=spectra.ntk_trace,
        eigenvalues=spectra.eigenvalues,
        ntk_eigenvalues=spectra.ntk_eigenvalues,
        parameters=minimum.params["params"] if keep_parameters else None,
    )


def _on_host(tree):
    """``tree`` as NumPy arrays, whose slices need no compiled program each."""
    return jax.tree.map(np.asarray, tree)


def _member(tree, index):
    return jax.tree.map(lambda leaf: leaf[index], tree)
