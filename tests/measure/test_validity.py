"""Launches that do not count, by rules that stand before."""

from __future__ import annotations

import pytest

from pocketbench.harness.measure.regimes import BURST, SUSTAINED
from pocketbench.harness.measure.throttle import ThrottleSigns
from pocketbench.harness.measure.validity import Conditions, invalid_reasons

CLEAN = ThrottleSigns(declared=False, frequency=False, drift=False)


@pytest.mark.parametrize(
    ("conditions", "reasons"),
    [
        pytest.param(Conditions(), (), id="a device that says nothing"),
        pytest.param(Conditions(under_voltage=True), ("under_voltage",), id="under-voltage"),
        pytest.param(Conditions(governor_changed=True), ("governor_changed",), id="governor"),
        pytest.param(Conditions(screen_changed=True), ("screen_changed",), id="screen"),
        pytest.param(Conditions(charger_changed=True), ("charger_changed",), id="charger"),
        pytest.param(Conditions(largest_gap_periods=3.0), (), id="the sampler was late"),
        pytest.param(Conditions(largest_gap_periods=3.1), ("sampler_gap",), id="the sampler stood still"),
        pytest.param(
            Conditions(screen_changed=True, charger_changed=True), ("charger_changed", "screen_changed"), id="two"
        ),
    ],
)
def test_conditions(conditions: Conditions, reasons: tuple[str, ...]):
    assert invalid_reasons(conditions, CLEAN, BURST, 100) == reasons


def test_a_launch_without_a_steady_part():
    assert invalid_reasons(Conditions(), CLEAN, BURST, 0) == ("no_steady_part",)


@pytest.mark.parametrize(
    ("signs", "fixed", "throttled"),
    [
        pytest.param(ThrottleSigns(True, None, None), None, True, id="declared"),
        pytest.param(ThrottleSigns(True, False, False), True, True, id="declared, and nothing else shows it"),
        pytest.param(ThrottleSigns(None, True, None), True, True, id="a fixed frequency fell"),
        pytest.param(ThrottleSigns(None, True, False), False, False, id="a governor chose a lower frequency"),
        pytest.param(ThrottleSigns(False, True, True), None, True, id="frequency fell and latency rose"),
        pytest.param(ThrottleSigns(False, False, True), True, False, id="latency rose, the clock did not fall"),
        pytest.param(ThrottleSigns(None, None, True), None, False, id="latency rose, nobody knows why"),
        pytest.param(ThrottleSigns(None, None, None), None, False, id="nothing is known"),
    ],
)
def test_throttled_in_a_burst(signs: ThrottleSigns, fixed: bool | None, throttled: bool):
    conditions = Conditions(frequency_is_fixed=fixed)

    assert invalid_reasons(conditions, signs, BURST, 100) == (("throttled",) if throttled else ())
    assert invalid_reasons(conditions, signs, SUSTAINED, 100) == ()
