"""Spectra of NTKs, taken by threads beside the training that yields them."""

from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import NamedTuple

import numpy as np

from ntklens.spectrum import eigenvalues as host_spectrum
from ntklens.spectrum import on_device as device_spectrum


class Spectra(NamedTuple):
    """The trace of one NTK Θ, the eigenvalues of Θ̂, and those of Θ where they were asked for."""

    ntk_trace: float
    eigenvalues: np.ndarray
    ntk_eigenvalues: np.ndarray | None = None


class SpectrumWorkers:
    """Threads that take spectra while the caller goes on; LAPACK releases the GIL.

    At most two tasks a thread wait their turn: `submit` then waits too, so that memory stays bounded.
    """

    def __init__(self, threads):
        self._pool = ThreadPoolExecutor(threads)
        self._places = BoundedSemaphore(2 * threads)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._pool.shutdown()

    def submit(self, task, *arguments, **options):
        """A future of ``task``'s result."""
        self._places.acquire()
        future = self._pool.submit(task, *arguments, **options)
        future.add_done_callback(lambda _: self._places.release())
        return future


def resolved(result):
    """A future whose ``result`` is there already."""
    future = Future()
    future.set_result(result)
    return future


def spectra_of(theta, of_theta_too=False):
    """The `Spectra` of ``theta`` (N, N), of which the lower triangle counts."""
    if device_spectrum.on_accelerator(theta):
        solver = device_spectrum
    else:
        solver, theta = host_spectrum, np.asarray(theta)
    return Spectra(
        ntk_trace=float(np.sum(np.asarray(theta.diagonal()), dtype=np.float64)),
        eigenvalues=np.asarray(solver.eigenvalues(solver.normalised(theta))),
        ntk_eigenvalues=np.asarray(solver.eigenvalues(theta)) if of_theta_too else None,
    )
