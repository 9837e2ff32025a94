"""One batch of seeds, trained and measured: the content of a run file."""

import jax
import jax.numpy as jnp
import numpy as np

from ntklens.ntk import ntk_matrix
from ntklens.spectrum import eigenvalues, normalised
from ntklens.trajectory import DIVERGED, OK, UNFINISHED, Minimum, Trajectory


def measure_batch(
    point, subset, seeds, adam, learning_rate, schedule, save_parameters, report=lambda *_: None
):
    """Train ``seeds`` of ``point`` and return their `Trajectory`, in the order of ``seeds``.

    Spectra are taken at the schedule's snapshots and at each seed's minimum. Seeds below
    ``save_parameters`` keep their parameters there. ``report(epoch, members)`` follows training.
    """
    model = point.model(subset)
    ntk_images = jnp.asarray(subset.ntk_images)
    kernel = jax.jit(lambda params: ntk_matrix(model, params, ntk_images))
    snapshots = [{} for _ in seeds]  # for each seed: epoch -> eigenvalues of the normalised NTK
    for epoch, members in point.train(subset, seeds, adam, learning_rate, schedule, ntk_images):
        report(epoch, members)
        if epoch in schedule.snapshots:
            params = _on_host(members.params)
            for index, spectra in enumerate(snapshots):
                theta = np.asarray(kernel(_member(params, index)))
                spectra[epoch] = eigenvalues(normalised(theta))
    members, rows = _on_host(members), point.train_indices(subset, seeds)
    return [
        _trajectory(
            seed,
            _member(members, index),
            kernel,
            schedule,
            snapshots[index],
            rows[index],
            keep_parameters=seed < save_parameters,
        )
        for index, seed in enumerate(seeds)
    ]


def _trajectory(seed, member, kernel, schedule, spectra, train_indices, keep_parameters):
    finished = int(member.stop_epoch) >= 0
    last = int(member.stop_epoch) if finished else schedule.max_epochs
    curves = {name: curve[: last + 1] for name, curve in member.curves.items()}
    trace_epoch = np.arange(0, last + 1, schedule.trace_every, dtype=np.int32)
    # A diverged seed ends early; the others reach every snapshot.
    reached = [epoch for epoch in spectra if epoch <= last]
    return Trajectory(
        seed=seed,
        status=_status(finished, curves),
        curves=curves,
        trace_epoch=trace_epoch,
        ntk_trace=member.traces[: len(trace_epoch)],
        spectrum_epoch=np.array(reached, dtype=np.int32),
        eigenvalues=np.stack([spectra[epoch] for epoch in reached]),
        minimum=_minimum(member.minimum, curves, kernel, keep_parameters),
        train_indices=train_indices,
    )


def _status(finished, curves):
    if not np.isfinite(curves["train_loss"][-1] + curves["test_loss"][-1]):
        return DIVERGED
    return OK if finished else UNFINISHED


def _minimum(minimum, curves, kernel, keep_parameters):
    theta = np.asarray(kernel(minimum.params))
    epoch = int(minimum.epoch)
    return Minimum(
        epoch=epoch,
        train_loss=float(curves["train_loss"][epoch]),
        test_loss=float(minimum.test_loss),
        ntk_trace=float(np.trace(theta, dtype=np.float64)),
        eigenvalues=eigenvalues(normalised(theta)),
        ntk_eigenvalues=eigenvalues(theta),
        parameters=minimum.params["params"] if keep_parameters else None,
    )


def _on_host(tree):
    """``tree`` as NumPy arrays, whose slices need no compiled program each."""
    return jax.tree.map(np.asarray, tree)


def _member(tree, index):
    return jax.tree.map(lambda leaf: leaf[index], tree)
