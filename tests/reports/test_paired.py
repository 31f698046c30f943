"""The ratio of any two jobs: the formula that the estimates of the tables were made by, and only rounds of both."""

from __future__ import annotations

import pytest

from pocketbench.reports.campaign import Interval
from pocketbench.reports.joined import read_campaign
from pocketbench.reports.paired import differs, launch_medians, paired_ratio
from tests.reports.synthetic import make_tables


def test_ratio_to_the_reference_is_that_of_the_estimates():
    tables = make_tables(rounds=6)
    campaign, medians = read_campaign(tables), launch_medians(tables)
    jobs = campaign.jobs_on("local")
    reference = next(job for job in jobs if job.is_reference)

    for job in jobs:
        if job is reference:
            continue
        ratio = paired_ratio(medians, job, reference)
        assert ratio is not None
        assert job.ratio is not None
        expected = (job.ratio.value, job.ratio.low, job.ratio.high)
        assert (ratio.value, ratio.low, ratio.high) == pytest.approx(expected)


def test_only_rounds_of_both_jobs_count():
    first, second, *_ = read_campaign(make_tables(rounds=2)).jobs
    medians = {first.job_id: {0: 2.0, 1: 4.0, 2: 100.0}, second.job_id: {0: 1.0, 1: 2.0, 7: 1.0}}

    both = paired_ratio(medians, first, second)
    once = paired_ratio({first.job_id: {0: 2.0}, second.job_id: {0: 1.0}}, first, second)

    assert both is not None
    assert (both.value, both.low, both.high) == pytest.approx((2.0, 2.0, 2.0))
    assert once is not None
    assert (once.low, once.high) == (None, None)
    assert paired_ratio({}, first, second) is None


def test_failed_launches_do_not_count():
    tables = make_tables(rounds=3)
    tables.launches.loc[0, "status"] = "failed"

    assert sorted(launch_medians(tables)["jlocal-1-0"]) == [1, 2]


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        (None, False),
        (Interval(0.5, None, None), False),
        (Interval(0.98, 0.95, 1.01), False),
        (Interval(0.9, 0.85, 1.0), False),
        (Interval(0.9, 0.85, 0.95), True),
        (Interval(1.1, 1.05, 1.15), True),
    ],
)
def test_difference_is_one_where_the_interval_excludes_1(ratio: Interval | None, expected: bool):
    assert differs(ratio) is expected
