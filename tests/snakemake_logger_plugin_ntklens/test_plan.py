import pytest
from snakemake_logger_plugin_ntklens.plan import (
    CLUSTER,
    CORES,
    Corrections,
    Ended,
    Plan,
    PlannedJob,
    in_order,
    time_left,
)

AS_ESTIMATED = Corrections([])


def job(number, seconds=10.0, needs=(), lane=CORES, rule="train"):
    return PlannedJob(number, rule, seconds, frozenset(needs), lane)


def plan(*jobs, **lanes):
    return Plan(in_order(jobs), {CORES: 1, CLUSTER: 1, **lanes}, {}, ())


@pytest.mark.parametrize(("cores", "seconds"), [(1, 40.0), (2, 20.0), (3, 20.0), (4, 10.0)])
def test_jobs_share_the_cores(cores, seconds):
    assert time_left(plan(*map(job, range(4)), cores=cores), (), {}, AS_ESTIMATED) == seconds


def test_job_waits_for_those_that_it_needs():
    chain = plan(job(1, 5.0), job(2, 7.0, needs=[1]), job(3, 1.0, needs=[1, 2]), job(4, 3.0), cores=8)
    assert time_left(chain, (), {}, AS_ESTIMATED) == 13.0


def test_needs_that_are_done_or_no_part_of_the_run_are_not_waited_for():
    assert time_left(plan(job(1), job(2, 7.0, needs=[1, 99])), [1], {}, AS_ESTIMATED) == 7.0


def test_lanes_do_not_wait_for_each_other():
    jobs = [job(1), job(2), job(3, 4.0, lane=CLUSTER), job(4, 4.0, lane=CLUSTER)]
    assert time_left(plan(*jobs), (), {}, AS_ESTIMATED) == 20.0
    assert time_left(plan(*jobs, cores=2), (), {}, AS_ESTIMATED) == 10.0


def test_running_job_needs_the_rest_of_its_time():
    assert time_left(plan(job(1), job(2)), (), {1: 4.0}, AS_ESTIMATED) == 16.0


def test_job_that_outlasts_its_estimate_needs_a_quarter_of_its_time_so_far():
    assert time_left(plan(job(1), job(2)), (), {1: 20.0}, AS_ESTIMATED) == 15.0


def test_lane_that_is_overfull_still_ends():
    assert time_left(plan(job(1), job(2), job(3)), (), {1: 4.0, 2: 4.0}, AS_ESTIMATED) == 16.0


def test_nothing_is_left_of_a_run_that_is_done():
    assert time_left(plan(job(1), job(2)), [1, 2], {}, AS_ESTIMATED) == 0.0


def test_corrections_scale_what_is_left():
    twice = Corrections([Ended("train", 10.0, 20.0)])
    assert time_left(plan(job(1), job(2)), (), {}, twice) == 40.0


def test_rule_without_ended_jobs_takes_the_ratio_of_all():
    corrections = Corrections([Ended("train", 10.0, 20.0), Ended("fit", 10.0, 10.0)])
    assert corrections.of("aggregate") == 1.5
    # One ended job of the rule, and one at the ratio of all: (20 + 1.5 · 10) / 20.
    assert corrections.of("train") == 1.75
    assert corrections.of("fit") == 1.25


def test_many_ended_jobs_outweigh_the_others():
    corrections = Corrections([Ended("train", 10.0, 30.0)] * 99 + [Ended("fit", 1.0, 1.0)])
    assert corrections.of("train") == pytest.approx(3.0, rel=1e-3)


def test_nothing_is_corrected_before_a_job_has_ended():
    assert AS_ESTIMATED.of("train") == 1.0
    assert Corrections([Ended("train", 0.0, 5.0)]).of("train") == 1.0


def test_jobs_come_after_those_that_they_need():
    jobs = [job(1, needs=[3]), job(2), job(3, needs=[4, 99]), job(4)]
    assert list(in_order(jobs)) == [2, 4, 3, 1]
