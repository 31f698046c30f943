"""The ratio of any two jobs: the formula that the estimates of the tables were made by, and only rounds of both."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from pocketbench.reports.campaign import Interval
from pocketbench.reports.joined import read_campaign
from pocketbench.reports.noise import beyond_noise, noise_floor
from pocketbench.reports.paired import launch_medians, paired_ratio
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


def test_intervals_are_made_with_the_confidence_of_the_campaign():
    tables = make_tables(rounds=8, precision=0.01)
    campaign, medians = read_campaign(tables), launch_medians(tables)
    reference, job, *_ = campaign.jobs_on("local")

    wide = paired_ratio(medians, job, reference, confidence=campaign.confidence)
    narrow = paired_ratio(medians, job, reference)

    assert campaign.confidence == 0.9675
    assert wide is not None
    assert job.ratio is not None
    assert (wide.low, wide.high) == pytest.approx((job.ratio.low, job.ratio.high))
    assert narrow is not None
    assert narrow.low is not None
    assert wide.low is not None
    assert wide.low < narrow.low


@pytest.mark.parametrize(
    ("ratio", "floor", "expected"),
    [
        (None, 0.0, False),
        (Interval(0.5, None, None), 0.0, False),
        (Interval(0.98, 0.95, 1.01), 0.0, False),
        (Interval(0.9, 0.85, 1.0), 0.0, False),
        (Interval(0.9, 0.85, 0.95), 0.0, True),
        (Interval(1.1, 1.05, 1.15), 0.05, True),
        (Interval(1.1, 1.05, 1.15), 0.1, False),
        (Interval(1.1, 1.05, 1.15), None, False),
    ],
)
def test_difference_excludes_1_and_is_beyond_the_noise(ratio: Interval | None, floor: float | None, expected: bool):
    assert beyond_noise(ratio, floor) is expected


def test_noise_floor_is_the_largest_of_the_settings_compared():
    campaign = read_campaign(make_tables(threads=(1, 2), aa_copy=1.01))
    copies = {
        copy.threads: replace(copy, ratio=Interval(1 + 0.01 * (copy.threads or 0), 0.9, 1.1))
        for copy in campaign.copies
    }
    campaign = replace(campaign, copies=tuple(copies.values()))
    one, two = (next(job for job in campaign.jobs if job.threads == threads) for threads in (1, 2))

    assert noise_floor(campaign, one) == pytest.approx(math.log(1.01))
    assert noise_floor(campaign, one, two) == pytest.approx(math.log(1.02))
    assert noise_floor(replace(campaign, copies=(copies[1],)), one, two) is None
