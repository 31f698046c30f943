"""Several speeds within a launch."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.statistics_launches import mode_row
from pocketbench.harness.measure.modes import find_modes


def test_two_speeds_with_their_shares():
    random = np.random.default_rng(0)
    latencies = np.concatenate([random.normal(1e6, 2e4, 700), random.normal(1.4e6, 2e4, 300)])
    fast, slow = find_modes(latencies)

    assert (fast.latency_ns, slow.latency_ns) == pytest.approx((1e6, 1.4e6), rel=0.02)
    assert (fast.share, slow.share) == pytest.approx((0.7, 0.3), abs=0.005)


def test_order_does_not_matter():
    latencies = np.random.default_rng(0).permutation(np.concatenate([np.full(70, 1e6), np.full(30, 1.4e6)]))

    assert find_modes(latencies) == find_modes(np.sort(latencies))
    assert len(find_modes(latencies)) == 2


def test_a_few_outliers_are_no_speed():
    random = np.random.default_rng(0)

    assert len(find_modes(np.concatenate([random.normal(1e6, 2e4, 95), np.full(5, 9e6)]))) == 1


@pytest.mark.parametrize("latencies", [np.array([5]), np.full(100, 7)], ids=["single", "equal"])
def test_no_spread_is_one_speed(latencies: np.ndarray):
    (mode,) = find_modes(latencies)

    assert mode.share == 1.0
    assert mode.latency_ns == pytest.approx(float(latencies[0]), rel=0.01)


def test_the_ticks_of_a_coarse_clock_are_no_speeds():
    """An inference of 5 us on a clock of 52 ns: latencies come in a handful of values, 1 % apart."""
    latencies = np.random.default_rng(0).normal(5000, 40, 1000)

    assert len(find_modes(np.round(latencies / 52) * 52)) == 1


def test_skewed_latencies_are_one_speed():
    assert len(find_modes(1e6 * (1 + np.random.default_rng(0).exponential(0.1, 500)))) == 1


def test_three_speeds():
    random = np.random.default_rng(0)
    parts = [random.normal(center, 1e4, 200) for center in (1e6, 1.3e6, 1.7e6)]

    assert len(find_modes(np.concatenate(parts))) == 3


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_rates(correlation: float):
    row = mode_row(100, correlation, 100, seed=2)

    # docs/statistics.md: 0 to 3 % and 89 to 99 %.
    assert float(row["one_speed"] or 0) <= 0.13
    assert float(row["second_at_1.4x"] or 0) >= 0.8
