"""Where the warm-up ends."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.statistics_launches import warmup_row
from pocketbench.harness.measure.warmup import WarmUp, find_warmup


def find(latency_ms: np.ndarray, least_s: float = 0.0) -> WarmUp:
    latency_ns = latency_ms * 1e6
    return find_warmup(np.cumsum(latency_ns) - latency_ns, latency_ns, least_s=least_s)


def test_steady_from_the_start_takes_two_windows_and_a_half():
    # 25 ms: half a second holds 20 iterations, so the windows end at 40 and 50.
    assert find(np.full(200, 25.0)) == WarmUp(50, settled=True)


def test_fast_models_have_longer_windows_and_slow_ones_at_least_10_iterations():
    assert find(np.full(5000, 1.0)).iterations == 1250
    assert find(np.full(200, 500.0)).iterations == 25


def test_goes_on_for_the_least_time():
    # Windows end every 10 iterations, 0.25 s apart: the first that ends at 3 s or later.
    assert find(np.full(400, 25.0), least_s=3.0) == WarmUp(120, settled=True)


def test_a_step_is_waited_for():
    latencies = np.concatenate([np.full(100, 30.0), np.full(200, 25.0)])
    settled = find(latencies, least_s=2.5)

    # 100 iterations of 30 ms pass 2.5 s at 90, before the step.
    assert settled == WarmUp(90, settled=True)
    assert find(latencies, least_s=3.2).iterations >= 140  # both windows after the step


def test_a_slope_without_a_difference_of_medians_is_none_and_a_slope_with_one_is_not_settled():
    assert not find(np.linspace(20, 40, 400)).settled


def test_too_short_to_say():
    assert find(np.full(49, 25.0)) == WarmUp(49, settled=False)
    assert find(np.array([])) == WarmUp(0, settled=False)


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_what_the_protocol_states(correlation: float):
    """After a 3x first iteration and a 20 % decay it ends at 110 to 150 iterations, with less than 1 % left."""
    row = warmup_row(correlation, 100, seed=1)

    assert row["settled"] == 1.0
    assert 110 <= float(row["median_iterations"] or 0) <= 150
    assert 0 < float(row["mean_left"] or 0) < 0.012
