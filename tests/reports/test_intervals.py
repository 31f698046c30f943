"""Intervals hold what they say, and impossible values stop nothing."""

from __future__ import annotations

import numpy as np

from pocketbench.reports.intervals import arithmetic_mean, geometric_mean, median


def test_interval_of_a_median_holds_it_as_often_as_it_says():
    rng = np.random.default_rng(5)
    found = [median([float(v) for v in rng.lognormal(size=12)], 0.95) for _ in range(2000)]
    held = [one.low <= 1.0 <= one.high for one in found if one and one.low is not None and one.high is not None]

    assert len(held) == 2000
    assert 0.95 <= np.mean(held) <= 0.97  # 96.1 % for 12 values


def test_intervals_of_few_and_of_impossible_values():
    assert median([], 0.95) is None
    assert arithmetic_mean([], 0.95) is None
    assert arithmetic_mean([3.0], 0.95) is not None
    huge = geometric_mean([1e-300, 1e300], 0.95)
    assert huge is not None
    assert huge.low is None
