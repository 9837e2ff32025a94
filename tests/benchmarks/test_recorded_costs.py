"""benchmarks/recorded_costs.py sets each job's record beside its own estimate."""

import pytest
from ntklens.costs.recorded import RecordedJob
from ntklens.costs.units import UNIT_COSTS, read_unit_costs
from ntklens.planning.config import load
from ntklens.planning.curves import curves, point_name, scales
from ntklens.planning.estimate import jobs_of

from benchmarks.recorded_costs import record_of, rows
from tests.support.small_config import small

CONFIG = load(small())
TRAINED = [job for job in jobs_of(CONFIG, read_unit_costs(UNIT_COSTS)) if job.rule == "train"]


def record(job, seconds=36.0, peak=300.0):
    return RecordedJob("train", record_of(CONFIG, job.curve, job.scale, job.seeds), 99.0, seconds, peak)


def test_records_have_the_names_of_their_files():
    curve = curves(CONFIG)[0]
    scale = scales(CONFIG, curve)[0]
    point = point_name(CONFIG, curve, scale)
    assert record_of(CONFIG, curve, scale, range(2, 4)) == f"{'-'.join(curve)}-{point}-seeds-2-3"


def test_each_scale_has_a_row_and_all_have_one():
    *own, every = rows(CONFIG, [record(job) for job in TRAINED])
    expected = dict.fromkeys(("/".join(job.curve), str(job.scale)) for job in TRAINED)
    assert [(row[0], row[1]) for row in own] == list(expected)
    assert every[0] == "all"
    assert int(every[2]) == len(TRAINED) == sum(int(row[2]) for row in own)
    assert float(every[4]) == pytest.approx(0.01 * len(TRAINED), abs=1e-3)


def test_what_was_not_recorded_has_no_row():
    first = TRAINED[0]
    (own, every) = rows(CONFIG, [record(first, seconds=7200.0), RecordedJob("train", "other", 1, 1, 1)])
    estimated = first.price.core_seconds / 3600
    assert own[:3] == ["/".join(first.curve), str(first.scale), "1"]
    assert own[2:] == every[2:]
    assert (float(own[3]), own[4]) == (pytest.approx(estimated, abs=1e-3), "2.000")
    assert own[-1] == "300 MiB"


def test_no_record_gives_no_rows():
    assert rows(CONFIG, []) == []
