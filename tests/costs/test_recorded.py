"""What jobs took is read from the files that Snakemake writes."""

import pytest
from ntklens.costs.recorded import RecordedJob, as_csv, core_hours, recorded_jobs

COLUMNS = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time"


@pytest.fixture
def folder(tmp_path):
    for name, row in {
        "train/wide-seeds-0-1": "7200.5\t2:00:00\t2048.25\t1\t1\t1\t0\t0\t90\t5400.0",
        "train/narrow-seeds-0-1": "3.0\t0:00:03\tNA\tNA\tNA\tNA\tNA\tNA\tNA\tNA",
        "aggregate/wide": "1.5\t0:00:01\t100.0\t1\t1\t1\t0\t0\t-\t-",
    }.items():
        path = tmp_path / f"{name}.tsv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{COLUMNS}\n{row}\n", encoding="utf-8")
    return tmp_path


def test_each_job_is_named_by_its_rule_and_its_file(folder):
    assert recorded_jobs(folder) == [
        RecordedJob("aggregate", "wide", 1.5, 0.0, 100.0),
        RecordedJob("train", "narrow-seeds-0-1", 3.0, 0.0, 0.0),
        RecordedJob("train", "wide-seeds-0-1", 7200.5, 5400.0, 2048.25),
    ]


def test_core_hours_are_those_of_processor_time(folder):
    assert core_hours(recorded_jobs(folder)) == 1.5


def test_the_table_has_a_line_for_each_job(folder):
    assert as_csv(recorded_jobs(folder)).splitlines() == [
        "rule,job,seconds,cpu_seconds,peak_mib",
        "aggregate,wide,1.50,0.00,100.0",
        "train,narrow-seeds-0-1,3.00,0.00,0.0",
        "train,wide-seeds-0-1,7200.50,5400.00,2048.2",
    ]


def test_a_config_that_has_not_run_has_no_jobs(tmp_path):
    assert recorded_jobs(tmp_path / "benchmarks") == []
