"""Outliers are counted."""

from __future__ import annotations

import numpy as np

from pocketbench.harness.measure.outliers import Outliers, count_outliers


def test_mild_severe_and_extreme():
    # Quartiles 25 and 75, median 50, deviation 25: fences at 150 and 225, ten deviations at 50 + 370.65.
    latencies = np.append(np.arange(101), [])
    assert count_outliers(latencies) == Outliers(0, 0, 0)

    far = np.concatenate([np.tile(np.arange(101), 100), [170], [300], [1000]])
    assert count_outliers(far) == Outliers(mild=3, severe=2, extreme=1)


def test_fast_ones_count_too():
    assert count_outliers(np.concatenate([np.tile(np.arange(1000, 1101), 10), [1]])) == Outliers(1, 1, 1)


def test_more_than_half_equal_has_no_robust_deviation():
    assert count_outliers(np.array([5] * 9 + [6])) == Outliers(1, 1, None)
