"""The search for a test loss's minimum between the epochs of a grid, beside the exhaustive search.

    python benchmarks/minimum_search.py SUBSET [--widths 32 128] [--seeds 3] [--epochs 1000]

``SUBSET`` is a file of results/{name}/subsets, such as that of full MNIST. Networks of two and three hidden
layers train by full-batch Adam on 100 images, with the test loss at every epoch. On these curves the
workflow's search is repeated for grids of 8, 16 and 32 epochs. First trials of each network correct its
learning rate, so that minima fall near the middle of the paper's window.
"""

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from ntklens.data.settings import DataSettings
from ntklens.data.subsets import Subset, read_subset
from ntklens.machine.threads import use_threads
from ntklens.networks.architectures import NetworkSettings
from ntklens.networks.modules import Parameters
from ntklens.studies.experiments import Experiment
from ntklens.studies.recipes import Recipe
from ntklens.training.members import Record
from ntklens.training.minimum_search import GridMinimum, Position, exact_minimum
from ntklens.training.optimisers import Adam
from ntklens.training.schedules import Schedule, Stop

GRIDS = (8, 16, 32)
TARGET = math.sqrt(400 * 1000)  # the geometric middle of the paper's window
FIRST_RATE = 2e-3  # divided by the width's root, near the rate that calibration finds


@dataclass
class Replay:
    """Training that passes through a curve of test losses again, and counts its evaluations."""

    test_loss: Sequence[float]
    evaluated: set[int] = field(default_factory=set)

    def position(self, epoch: int) -> Position:
        return Position(epoch, {"epoch": epoch}, {})

    def loss(self, params: Parameters) -> float:
        self.evaluated.add(params["epoch"])
        return self.test_loss[params["epoch"]]

    def minimum(self, grid: int) -> int:
        """The epoch that the search finds on a grid of ``grid`` epochs."""
        last, found = len(self.test_loss) - 1, GridMinimum.nothing(self.position(0))
        for epoch in sorted({*range(0, last, grid), last}):
            found = found.after(self.position(epoch), self.loss({"epoch": epoch}))
        end = min(found.epoch + grid, last)
        return exact_minimum(found, end, lambda _, epoch: self.position(epoch), self.loss).epoch


def experiment(width: int, hidden_layers: int, subset: Subset) -> Experiment:
    recipe = Recipe(
        optimiser=Adam(b1=0.9, b2=0.999, eps=1e-8),
        batch_size=None,
        learning_rate=None,
        stop=Stop.fixed(0),  # not used: `trained` has a schedule of its own
        evaluate_every=1,
        vary="initialisation",
    )
    network = NetworkSettings(hidden_layers=hidden_layers, width=width)
    return Experiment(network, DataSettings(train_samples=100, balanced=False, draw_seed=0), recipe, subset)


def trained(case: Experiment, seeds: Sequence[int], rate: float, epochs: int, every: int) -> list[Record]:
    """Records of ``seeds``, with ``every`` epochs between two evaluations."""
    trainer = case.trainer(Schedule(Stop.fixed(epochs), evaluate_every=every))
    *_, (_, members) = case.train(trainer, case.training_sets(seeds), seeds, rate)
    return trainer.records(members)


def corrected_rate(case: Experiment, width: int, epochs: int) -> float:
    """A rate that puts the first seed's minimum near `TARGET`: its epoch is proportional to 1 / rate."""
    rate = FIRST_RATE / math.sqrt(width)
    for _ in range(3):
        (record,) = trained(case, [0], rate, epochs, every=20)
        assert record.minimum is not None
        rate *= max(record.minimum.epoch, 1) / TARGET
    return rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("subset")
    parser.add_argument("--widths", type=int, nargs="+", default=[32, 64, 128, 256])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=1000)
    args = parser.parse_args()
    use_threads(1)
    subset = read_subset(args.subset)
    print(
        f"{len(subset.test_labels)} test samples; epoch of the exhaustive search, then what each grid finds"
    )
    missed = dict.fromkeys(GRIDS, 0)
    evaluations: dict[int, list[int]] = {grid: [] for grid in GRIDS}
    for width in args.widths:
        for hidden_layers in (2, 3):
            case = experiment(width, hidden_layers, subset)
            rate = corrected_rate(case, width, args.epochs)
            for seed, record in enumerate(trained(case, range(args.seeds), rate, args.epochs, every=1)):
                losses, found = record.curves["test_loss"].tolist(), []
                expected = int(np.argmin(losses))
                for grid in GRIDS:
                    replay = Replay(losses)
                    found.append(replay.minimum(grid))
                    missed[grid] += found[-1] != expected
                    evaluations[grid].append(len(replay.evaluated))
                print(f"{hidden_layers} × {width:5d}  seed {seed}  {expected:5d}  {found}", flush=True)
    for grid in GRIDS:
        count, mean = len(evaluations[grid]), np.mean(evaluations[grid])
        print(f"grid of {grid:2d} epochs: {missed[grid]} of {count} missed, {mean:.0f} evaluations of a seed")


if __name__ == "__main__":
    main()
