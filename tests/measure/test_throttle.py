"""The three signs of throttling."""

from __future__ import annotations

import pytest

from pocketbench.harness.measure.drift import Drift
from pocketbench.harness.measure.throttle import (
    ThrottleSigns,
    android_declares,
    pi_declares,
    pi_under_voltage,
    residency_share,
    sampled_share,
    throttle_signs,
)


def test_a_sign_that_the_device_cannot_give_is_none():
    assert throttle_signs(None, None, None) == ThrottleSigns(None, None, None)


@pytest.mark.parametrize(("share", "sign"), [(1.0, False), (0.95, False), (0.949, True), (0.0, True)])
def test_frequency_sign(share: float, sign: bool):
    assert throttle_signs(None, share, None).frequency is sign


@pytest.mark.parametrize(("direction", "sign"), [("slower", True), ("faster", False), ("none", False)])
def test_only_a_launch_that_becomes_slower_shows_drift(direction: str, sign: bool):
    assert throttle_signs(None, None, Drift(0.1, 0.001, 0.1, direction)).drift is sign  # type: ignore[arg-type]


@pytest.mark.parametrize(("statuses", "sign"), [((), None), ((0, 0), False), ((0, 1, 0), True)])
def test_android(statuses: tuple[int, ...], sign: bool | None):
    assert android_declares(statuses) is sign


@pytest.mark.parametrize(
    ("before", "during", "after", "slowed", "under_voltage"),
    [
        pytest.param(None, (), None, None, None, id="nothing was read"),
        pytest.param(0, (), 0, False, False, id="only before and after"),
        pytest.param(0, (0, 0x4, 0), 0, True, False, id="throttled for a moment"),
        pytest.param(0, (0, 0x1), 0x10000, False, True, id="under-voltage"),
        pytest.param(0x70005, (0,), 0x70005, False, False, id="what an earlier launch left behind"),
        pytest.param(0x10000, (0,), 0x50000, True, False, id="noted between two samples"),
        pytest.param(0, (0,), 0x80000, True, False, id="soft temperature limit"),
        pytest.param(0, (0,), 0x10000, False, True, id="under-voltage noted between two samples"),
        pytest.param(None, (0x8,), 0, True, False, id="before was not read"),
    ],
)
def test_raspberry_pi(
    before: int | None, during: tuple[int, ...], after: int | None, slowed: bool | None, under_voltage: bool | None
):
    assert pi_declares(before, during, after) is slowed
    assert pi_under_voltage(before, during, after) is under_voltage


def test_residency_is_the_share_of_the_time_that_passed():
    before = {600_000: 1000, 1_700_000: 50, 1_800_000: 500}
    after = {600_000: 1000, 1_700_000: 60, 1_800_000: 590}

    # 1.7 GHz is 94 % of 1.8.
    assert residency_share(before, after, 1_800_000) == pytest.approx(0.9)
    assert residency_share(before, after, 1_700_000) == 1.0


def test_residency_cannot_say():
    assert residency_share({1_800_000: 5}, {1_800_000: 5}, 1_800_000) is None  # no time passed
    assert residency_share({1: 5, 2: 9}, {1: 4, 2: 90}, 2) is None  # the counters were reset
    assert residency_share({}, {}, 2) is None


def test_sampled_share():
    # A Raspberry Pi 5 measures 2400023808 Hz for 2.4 GHz, and throttled 1500019456.
    assert sampled_share([2_400_023_808, 2_399_900_000, 1_500_019_456, 2_400_030_464], 2.4e9) == 0.75
    assert sampled_share([], 2.4e9) is None
