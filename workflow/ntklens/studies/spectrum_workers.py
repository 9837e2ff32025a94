"""Spectra of NTKs, computed by threads while training goes on."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Any, NamedTuple, TypeVar

import numpy as np
from jaxtyping import Array, Float

from ntklens.spectrum import eigenvalues as host_spectrum
from ntklens.spectrum import on_device as device_spectrum

Result = TypeVar("Result")


class Spectra(NamedTuple):
    """The trace of one NTK Θ, the eigenvalues of Θ̂, and those of Θ where they were requested."""

    ntk_trace: float
    eigenvalues: Float[np.ndarray, " N"]
    ntk_eigenvalues: Float[np.ndarray, " N"] | None = None


class SpectrumWorkers:
    """Threads that compute spectra while the caller goes on; LAPACK releases the GIL.

    At most two tasks per thread are under way or waiting. When there are as many, `submit` blocks, so that
    memory stays bounded.
    """

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads)
        self._places = BoundedSemaphore(2 * threads)

    def __enter__(self) -> "SpectrumWorkers":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def submit(self, task: Callable[..., Result], *arguments: Any, **options: Any) -> Future[Result]:
        """A future of ``task``'s result."""
        self._places.acquire()
        future = self._pool.submit(task, *arguments, **options)
        future.add_done_callback(lambda _: self._places.release())
        return future


def resolved(result: Result) -> Future[Result]:
    """A future whose ``result`` is there already."""
    future: Future[Result] = Future()
    future.set_result(result)
    return future


def spectra_of(theta: Float[Array | np.ndarray, "N N"], of_theta_too: bool = False) -> Spectra:
    """The `Spectra` of ``theta``, of which only the lower triangle is read."""
    if device_spectrum.on_accelerator(theta):
        solver = device_spectrum
    else:
        solver, theta = host_spectrum, np.asarray(theta)
    return Spectra(
        ntk_trace=float(np.sum(np.asarray(theta.diagonal()), dtype=np.float64)),
        eigenvalues=np.asarray(solver.eigenvalues(solver.normalised(theta))),
        ntk_eigenvalues=np.asarray(solver.eigenvalues(theta)) if of_theta_too else None,
    )
