"""Settings of the fuzz suites: how many cases, drawn from which seed, and a table of what became of them.

NTKLENS_FUZZ_CASES is the number of cases of each test, by default 2,000. `make fuzz` draws a seed and prints
it; `make fuzz SEED=…` draws the same cases again.
"""

import faulthandler
import os
from collections import Counter, defaultdict

import jax
import pytest
from hypothesis import HealthCheck, settings

from tests.fuzz.outcomes import Outcome, as_table

CASES = int(os.environ.get("NTKLENS_FUZZ_CASES", "2000"))
LONGEST = 900  # seconds that one test may take: then it hangs, and its process ends with a traceback
COUNTS = pytest.StashKey[defaultdict[str, Counter[str]]]()

jax.config.update("jax_disable_most_optimizations", True)
settings.register_profile(
    "fuzz",
    max_examples=CASES,
    deadline=None,
    database=None,  # every run draws cases of its own
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("fuzz")


def pytest_configure(config):
    config.stash[COUNTS] = defaultdict(Counter)


@pytest.fixture(autouse=True)
def _ends():
    faulthandler.dump_traceback_later(LONGEST, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture
def tally(record_property):
    """A function that makes a `Tally` for a kind of input: call it with the outcome of each case."""
    counts = defaultdict(Counter)

    def of_kind(kind):
        def count(outcome: Outcome):
            counts[kind][str(outcome)] += 1

        return count

    yield of_kind
    for kind, own in counts.items():
        record_property(kind, dict(own))


class _Collector:
    """Collects the counts of all tests, those of other processes included."""

    def __init__(self, config):
        self._config = config

    def pytest_runtest_logreport(self, report):
        if report.when == "teardown":
            for kind, own in report.user_properties:
                self._config.stash[COUNTS][kind].update(own)


def pytest_sessionstart(session):
    session.config.pluginmanager.register(_Collector(session.config))


def pytest_terminal_summary(terminalreporter):
    counts = terminalreporter.config.stash[COUNTS]
    if counts:
        terminalreporter.write_sep("=", "what became of the cases")
        terminalreporter.write_line("\n".join(as_table(counts)))
