"""Trials of a learning rate: a few seeds of a point trained without measuring the NTK."""

from collections.abc import Callable, Sequence

from ntklens.storage.run_files import DIVERGED, UNFINISHED
from ntklens.studies.experiments import Experiment
from ntklens.studies.recipes import schedule_of
from ntklens.training.members import Record, State
from ntklens.training.rate_trials import Trial


def minimum_trial(
    experiment: Experiment,
    seeds: Sequence[int],
    rate: float,
    scale: int,
    start: tuple[int, State] | None = None,
    visit: Callable[[int, Callable[[], State]], object] = lambda *_: None,
) -> Trial:
    """Train ``seeds`` at the learning ``rate`` and return the `Trial` with the epochs of their minima.

    ``start`` is as for `Trainer.train`. ``visit(epoch, state)`` is called repeatedly while training goes on;
    ``state()`` returns what a checkpoint needs.
    """
    trainer = experiment.trainer(schedule_of(experiment.recipe, experiment.network))
    sets = experiment.training_sets(seeds)
    members = None
    for epoch, members in experiment.train(trainer, sets, seeds, rate, start):
        visit(epoch, lambda members=members: trainer.state_of(members))
    records = trainer.records(members)
    return Trial(
        scale=scale,
        rate=rate,
        epochs=tuple(_minimum_epoch(record) for record in records),
        censored=tuple(record.status == UNFINISHED for record in records),
    )


def _minimum_epoch(record: Record) -> int | None:
    return None if record.status == DIVERGED or record.minimum is None else record.minimum.epoch
