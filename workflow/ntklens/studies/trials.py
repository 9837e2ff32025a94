"""Trials of a learning rate: a few seeds of a point trained without measuring the NTK."""

from ntklens.storage.run_files import DIVERGED, UNFINISHED
from ntklens.training.calibration import Trial


def minimum_trial(experiment, seeds, rate, schedule, scale, start=None, visit=lambda *_: None):
    """Train ``seeds`` at ``rate``: the `Trial` of their minima's epochs.

    ``start`` is as for a trainer's ``train``; ``visit(epoch, state_of)`` is called as training goes on, where
    ``state_of()`` is what a checkpoint needs.
    """
    trainer = experiment.trainer(schedule)
    sets = experiment.training_sets(seeds)
    for epoch, members in experiment.train(trainer, sets, seeds, rate, start):
        visit(epoch, lambda members=members: trainer.state_of(members))
    records = trainer.records(members)
    return Trial(
        scale=scale,
        rate=rate,
        epochs=tuple(_minimum_epoch(record) for record in records),
        censored=2 * sum(record.status == UNFINISHED for record in records) >= len(records),
    )


def _minimum_epoch(record):
    return None if record.status == DIVERGED else int(record.best.epoch)
