"""Drift within a launch: what is found, and how often where there is nothing. Seeded draws, binomial bounds."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.statistics_launches import drift_row
from pocketbench.harness.measure.drift import find_drift
from pocketbench.harness.measure.trend import clearest_step

LAUNCHES = 200


@pytest.mark.parametrize(
    ("shape", "least"),
    [
        # Five standard deviations of a share in 200 launches under the rate that docs/statistics.md has.
        pytest.param("ramp of 2.6 %", 0.34, id="2.6 %: 0.52"),
        pytest.param("ramp of 4.3 %", 0.82, id="4.3 %: 0.92"),
        pytest.param("ramp of 8.6 %", 0.98, id="8.6 %: 1.00"),
        pytest.param("step of 10 % after 1/4", 0.98, id="early step: 1.00"),
        pytest.param("step of 10 % after 3/4", 0.98, id="late step: 1.00"),
    ],
)
def test_finds_what_it_says_it_finds(shape: str, least: float):
    assert float(drift_row(shape, 0.5, LAUNCHES, seed=3)["drift_found"] or 0) >= least


def test_hardly_ever_in_steady_launches():
    # 3.6 % expected, sd 1.3.
    assert float(drift_row("steady", 0.5, LAUNCHES, seed=4)["drift_found"] or 0) <= 0.105


def test_direction_and_size():
    slower, faster = find_drift(np.linspace(100, 110, 300)), find_drift(np.linspace(110, 100, 300))

    assert slower is not None
    assert faster is not None
    assert (slower.direction, faster.direction) == ("slower", "faster")
    assert slower.ramp == pytest.approx(10 / 105 * 14 / 15 * 300 / 299)  # first batch to last
    step = find_drift(np.repeat([100.0, 120.0], 150))
    assert step is not None
    assert step.step == pytest.approx(20 / 110)  # the median is that of the batch across the step
    assert step.direction == "slower"


def test_a_change_under_2_percent_is_none_however_certain():
    drift = find_drift(np.linspace(100, 101.9, 3000))

    assert drift is not None
    assert drift.p_value < 1e-6
    assert drift.direction == "none"


def test_fewer_than_30_iterations_cannot_say():
    assert find_drift(np.linspace(1, 2, 29)) is None
    assert find_drift(np.linspace(1, 2, 30)) is not None


def test_the_limit_of_a_clear_step_is_passed_by_one_in_a_hundred():
    random = np.random.default_rng(8)
    passed = sum(abs(clearest_step(random.normal(size=15))[1]) > 4.19 for _ in range(10_000))

    assert 50 <= passed <= 150  # five sd of 10
