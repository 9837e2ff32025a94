"""Random values from `random.Random`, with the words of hypothesis' strategies.

Hypothesis takes 20 ms to draw a config of a hundred keys, this module a fraction of one. It cannot make a
case that fails smaller: hypothesis draws nothing but the seed.
"""

import functools
import random
import string

from hypothesis import strategies


class Draws:
    """A function of a random generator, which can be combined as hypothesis' strategies can."""

    def __init__(self, make):
        self.make = make

    def map(self, function):
        return Draws(lambda rng: function(self.make(rng)))

    def flatmap(self, function):
        return Draws(lambda rng: function(self.make(rng)).make(rng))

    def __or__(self, other):
        return Draws(lambda rng: rng.choice((self, other)).make(rng))


def strategy(draws):
    """Hypothesis' strategy for a case of ``draws``."""
    return strategies.integers(0, 2**63).map(lambda seed: draws.make(random.Random(seed)))


def composite(function):
    """As hypothesis' composite: ``function`` takes ``draw`` first."""

    @functools.wraps(function)
    def of(*arguments):
        return Draws(lambda rng: function(lambda draws: draws.make(rng), *arguments))

    return of


def integers(least, largest):
    """Whole numbers; the two ends are drawn often."""
    return Draws(
        lambda rng: rng.choice((least, largest)) if rng.random() < 0.2 else rng.randint(least, largest)
    )


def floats(least, largest):
    return Draws(
        lambda rng: rng.choice((least, largest)) if rng.random() < 0.1 else rng.uniform(least, largest)
    )


def booleans():
    return sampled_from((False, True))


def none():
    return just(None)


def just(value):
    return Draws(lambda rng: value)


def sampled_from(values):
    values = list(values)
    return Draws(lambda rng: rng.choice(values))


def names(most=7):
    """A letter, then letters and digits, all of them small."""
    characters = string.ascii_lowercase + string.digits
    return Draws(
        lambda rng: (
            rng.choice(string.ascii_lowercase) + "".join(rng.choices(characters, k=rng.randrange(most)))
        )
    )


def distinct(values, least, most):
    """From ``least`` to ``most`` values, or fewer where they repeat; at least one if ``least`` is."""

    def make(rng):
        return list(dict.fromkeys(values.make(rng) for _ in range(rng.randint(least, most))))

    return Draws(make)


def mapping(required, optional=None):
    """All keys of ``required``, and some of ``optional``."""

    def make(rng):
        chosen = {key: own for key, own in (optional or {}).items() if rng.random() < 0.5}
        return {key: own.make(rng) for key, own in {**required, **chosen}.items()}

    return Draws(make)
