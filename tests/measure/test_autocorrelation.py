"""How alike neighbouring iterations are."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.statistics_noise import autoregressive
from pocketbench.harness.measure.autocorrelation import effective_count, lag1_correlation


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_correlation_of_a_known_process(correlation: float):
    latencies = np.exp(autoregressive(np.random.default_rng(1), (20_000,), correlation, 0.04))

    # Of ranks it is 6 / pi * asin(r / 2) in normal noise, less than r by 0.02 at most; sd 0.007 at 20,000.
    assert lag1_correlation(latencies) == pytest.approx(6 / np.pi * np.arcsin(correlation / 2), abs=0.035)


def test_one_interrupt_does_not_hide_it():
    latencies = np.exp(autoregressive(np.random.default_rng(1), (1000,), 0.9, 0.04))
    before = lag1_correlation(latencies)
    latencies[500] = 1000.0

    assert lag1_correlation(latencies) == pytest.approx(before, abs=0.01)


def test_alternation_is_negative_and_equal_values_cannot_say():
    assert lag1_correlation(np.array([1, 2] * 50)) == pytest.approx(-1.0)
    assert lag1_correlation(np.ones(50)) is None


def test_effective_count():
    assert effective_count(300, 0.0) == 300
    assert effective_count(300, 0.5) == pytest.approx(100)
    assert effective_count(300, -0.5) == 300
