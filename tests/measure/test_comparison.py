"""When a difference may be called one."""

from __future__ import annotations

import math

import pytest

from pocketbench.harness.measure.comparison import NoiseFloor, compare, noise_floor
from pocketbench.harness.measure.statistics import Estimate

FLOOR = NoiseFloor(math.log(1.01), copy_differs=False)


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [
        pytest.param(Estimate(0.90, 0.89, 0.91, 5), "difference", id="faster"),
        pytest.param(Estimate(1.10, 1.09, 1.11, 5), "difference", id="slower"),
        pytest.param(Estimate(1.02, 0.99, 1.05, 5), "none found", id="1 is possible"),
        pytest.param(Estimate(0.995, 0.993, 0.997, 5), "none found", id="less than the copy differs by"),
        pytest.param(Estimate(1 / 1.01, 0.98, 0.995, 5), "none found", id="as much as the copy, the other way"),
        pytest.param(Estimate(0.90, None, None, 1), "cannot say", id="one round"),
        pytest.param(None, "cannot say", id="no round"),
    ],
)
def test_verdict(ratio: Estimate | None, verdict: str):
    comparison = compare(ratio, FLOOR)

    assert comparison.verdict == verdict
    assert (comparison.reason is None) == (verdict == "difference")


def test_without_a_copy_nothing_is_called_a_difference():
    comparison = compare(Estimate(0.5, 0.4, 0.6, 5), None)

    assert comparison.verdict == "cannot say"
    assert "A/A copy" in str(comparison.reason)


def test_reasons_have_the_figures():
    assert "5.1 %" in str(compare(Estimate(1.02, 1.02 / 1.051, 1.02 * 1.051, 5), FLOOR).reason)
    reason = str(compare(Estimate(1.005, 1.002, 1.008, 5), FLOOR).reason)
    assert "0.5 %" in reason
    assert "1 %" in reason


@pytest.mark.parametrize(
    ("copy", "log_ratio", "differs"),
    [(Estimate(0.98, 0.96, 1.0, 5), -math.log(0.98), False), (Estimate(1.02, 1.01, 1.03, 5), math.log(1.02), True)],
)
def test_noise_floor_of_a_copy(copy: Estimate, log_ratio: float, differs: bool):
    floor = noise_floor(copy)

    assert floor is not None
    assert floor.log_ratio == pytest.approx(log_ratio)
    assert floor.copy_differs is differs


def test_a_copy_without_an_interval_has_no_floor():
    assert noise_floor(Estimate(1.02, None, None, 1)) is None
    assert noise_floor(None) is None
