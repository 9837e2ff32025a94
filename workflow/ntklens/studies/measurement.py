"""One batch of seeds, trained and measured: the content of a run file."""

import jax
import jax.numpy as jnp
import numpy as np

from ntklens.kernel.ntk import MEMORY, ntk_matrix
from ntklens.spectrum.alignments import Alignments, alignments
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.storage.run_files import Minimum, Trajectory
from ntklens.storage.status import DIVERGED, OK, UNFINISHED
from ntklens.studies.spectrum_workers import Spectra, SpectrumWorkers, resolved, spectra_of
from ntklens.training.full_batch import state_of


def measure_batch(
    point,
    subset,
    seeds,
    adam,
    learning_rate,
    schedule,
    save_parameters,
    workers=1,
    memory=MEMORY,
    checkpoint=None,
    report=lambda *_: None,
):
    """Train ``seeds`` of ``point`` and return their `Trajectory`, in the order of ``seeds``.

    Spectra and alignments are taken at the schedule's snapshots, spectra at each seed's minimum too, by
    ``workers`` threads beside the training, of kernels whose pieces take ``memory`` bytes at most. Seeds
    below ``save_parameters`` keep their parameters at the minimum. A `Checkpoint` is gone on from, and
    written now and then. ``report(epoch, members)`` follows training.
    """
    model = point.model(subset)
    ntk_images = jnp.asarray(subset.ntk_images)
    labels = subset.test_labels[: subset.ntk_samples]
    kernel = jax.jit(lambda params: ntk_matrix(model, params, ntk_images, lower=True, memory=memory))
    saved = checkpoint.saved if checkpoint else None
    start = (saved.position["epoch"], saved.arrays["members"]) if saved else None
    # For each seed: epoch -> spectra and alignments, there or to come.
    snapshots = _restored(saved.arrays["snapshots"]) if saved else [{} for _ in seeds]
    with SpectrumWorkers(workers) as spectra:
        waiting = None  # the kernels of a snapshot, until those of the next update are there
        for epoch, members in point.train(subset, seeds, adam, learning_rate, schedule, start):
            report(epoch, members)
            if waiting is None and checkpoint and checkpoint.due():
                state = {"members": state_of(members), "snapshots": _stored(snapshots)}
                checkpoint.save({"epoch": epoch}, state)
            if waiting is None and epoch not in schedule.snapshots:
                continue
            params = _on_host(members.params)
            kernels = [kernel(_member(params, index)) for index in range(len(seeds))]
            if waiting is not None:
                for own, theta, after in zip(snapshots, waiting, kernels, strict=True):
                    own[epoch - 1] = spectra.submit(_spectra_and_alignments, theta, after, labels)
            waiting = kernels if epoch in schedule.snapshots else None
        members, rows = _on_host(members), point.train_indices(subset, seeds)
        minima = [
            spectra.submit(spectra_of, kernel(_member(members.minimum.params, index)), of_theta_too=True)
            for index in range(len(seeds))
        ]
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


def _stored(snapshots):
    """``snapshots`` as nested dictionaries of arrays; waits for those that are still to come."""
    return {
        str(index): {
            str(epoch): {
                "ntk_trace": spectra.ntk_trace,
                "eigenvalues": spectra.eigenvalues,
                "alignments": np.array(aligned),
            }
            for epoch, future in own.items()
            for spectra, aligned in [future.result()]
        }
        for index, own in enumerate(snapshots)
    }


def _restored(stored):
    """What `_stored` was given."""
    return [
        {int(epoch): resolved(_from_stored(arrays)) for epoch, arrays in own.items()}
        for own in stored.values()
    ]


def _from_stored(arrays):
    spectra = Spectra(float(arrays["ntk_trace"]), arrays["eigenvalues"])
    return spectra, Alignments(*map(float, arrays["alignments"]))


def _spectra_and_alignments(theta, after, labels):
    """`Spectra` and `Alignments` of ``theta``, ``after`` being the NTK one update later.

    The top eigenvectors are as many as the effective rank says (App. E.3).
    """
    spectra = spectra_of(theta)
    rank = effective_rank(spectra.eigenvalues)
    count = max(round(rank), 1) if np.isfinite(rank) else 1
    return spectra, alignments(np.asarray(theta), np.asarray(after), labels, count)


def _trajectory(seed, member, schedule, snapshots, at_minimum, train_indices, keep_parameters):
    finished = int(member.stop_epoch) >= 0
    last = int(member.stop_epoch) if finished else schedule.max_epochs
    curves = {name: curve[: last + 1] for name, curve in member.curves.items()}
    trace_epoch = np.arange(0, last + 1, schedule.trace_every, dtype=np.int32)
    # A diverged seed ends early; the others reach every snapshot.
    reached = [epoch for epoch in snapshots if epoch <= last]
    spectra, aligned = zip(*(snapshots[epoch].result() for epoch in reached), strict=True)
    return Trajectory(
        seed=seed,
        status=_status(finished, curves),
        curves=curves,
        trace_epoch=trace_epoch,
        ntk_trace=member.traces[: len(trace_epoch)],
        spectrum_epoch=np.array(reached, dtype=np.int32),
        eigenvalues=np.stack([own.eigenvalues for own in spectra]),
        alignments=Alignments(*np.array(aligned).T),
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
