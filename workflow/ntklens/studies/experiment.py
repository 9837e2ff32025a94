"""One point of a study, ready to train: its network, initial parameters and training sets (App. D.1)."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from ntklens.data.draws import draw
from ntklens.networks.modules import build_network, ensemble_parameters
from ntklens.training.calibration import Trial
from ntklens.training.full_batch import Samples, train


@dataclass(frozen=True)
class Point:
    """A width and a data size, with what the seeds of the ensemble vary there.

    Model scaling varies the initialisation and keeps one draw of the data, data scaling the other
    way round (or both, where the config asks for it).
    """

    network: dict  # an entry of the config's `networks`, with its width
    train_samples: int
    vary_data: bool
    vary_initialisation: bool

    def model(self, subset):
        return build_network(self.network, subset.image_shape, outputs=subset.classes)

    def initial_parameters(self, subset, seeds):
        """Parameters with a leading ensemble axis, a member a seed."""
        own = [seed if self.vary_initialisation else 0 for seed in seeds]
        return ensemble_parameters(self.model(subset), subset.pool_images.shape[1], own)

    def train_indices(self, subset, seeds):
        """Positions in the pool, (members, train_samples)."""
        return np.stack(
            [
                draw(len(subset.pool_labels), self.train_samples, seed if self.vary_data else 0)
                for seed in seeds
            ]
        )

    def train_sets(self, subset, seeds):
        """`Samples` with a leading ensemble axis."""
        rows = self.train_indices(subset, seeds)
        return Samples(jnp.asarray(subset.pool_images[rows]), jnp.asarray(subset.pool_labels[rows]))

    def train(self, subset, seeds, adam, learning_rate, schedule, start=None):
        """`ntklens.training.full_batch.train` of this point's networks on its data: yields as that does."""
        return train(
            self.model(subset),
            adam,
            learning_rate,
            self.initial_parameters(subset, seeds),
            self.train_sets(subset, seeds),
            Samples(jnp.asarray(subset.test_images), jnp.asarray(subset.test_labels)),
            schedule,
            subset.ntk_samples,
            start,
        )


def minimum_trial(point, subset, seeds, adam, rate, schedule, scale, start=None, visit=lambda *_: None):
    """Train ``seeds`` at ``rate`` without measuring the NTK: the `Trial` of their minima's epochs.

    ``start`` as for `ntklens.training.full_batch.train`; ``visit(epoch, members)`` follows training.
    """
    for epoch, members in point.train(subset, seeds, adam, rate, schedule, start):
        visit(epoch, members)
    finished = np.asarray(members.stop_epoch)
    epochs = [int(epoch) for epoch in members.minimum.epoch]
    last = np.asarray(members.curves["train_loss"])[range(len(epochs)), finished]
    return Trial(
        scale=scale,
        rate=rate,
        epochs=tuple(epoch if np.isfinite(loss) else None for epoch, loss in zip(epochs, last, strict=True)),
        censored=2 * int(np.sum(finished < 0)) >= len(finished),
    )
