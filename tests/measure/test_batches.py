"""Batches of neighbouring iterations, and the interval of one launch's median."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pocketbench.harness.measure.batches import batch_quantiles, launch_quantile_interval


@pytest.mark.parametrize(("count", "batches"), [(15, 15), (31, 15), (40, 2), (100, 10), (109, 10)])
@pytest.mark.parametrize("quantile", [0.5, 0.9])
def test_batches_are_consecutive_and_hold_all(count: int, batches: int, quantile: float):
    values = np.random.default_rng(count).normal(size=count)
    expected = [np.quantile(part, quantile) for part in np.array_split(values, batches)]

    assert batch_quantiles(values, batches, quantile).tolist() == pytest.approx(expected)


def test_interval_of_the_median_by_hand():
    # Batch medians 1 to 10: mean 5.5, variance 55 / 6, t(0.975, 9) = 2.262157.
    estimate = launch_quantile_interval(np.repeat(np.arange(1, 11), 10))

    assert estimate is not None
    spread = 2.2621571628 * math.sqrt(55 / 6 / 10)
    assert (estimate.low, estimate.value, estimate.high) == pytest.approx((5.5 - spread, 5.5, 5.5 + spread))


def test_a_batch_must_be_long_enough_for_its_quantile():
    assert launch_quantile_interval(np.arange(99)) is None
    assert launch_quantile_interval(np.arange(100)) is not None
    assert launch_quantile_interval(np.arange(639), 0.9) is None
    assert launch_quantile_interval(np.arange(640), 0.9) is not None
