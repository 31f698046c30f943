"""The battery's meter: sign and unit from what is seen, nothing while it is plugged in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from pocketbench.harness.sensors import fuel_gauge
from pocketbench.harness.sensors.charge_energy import charge_energy
from pocketbench.harness.sensors.energy import Window
from pocketbench.harness.sensors.gauge_power import GaugeScale, find_scale, register_updates
from pocketbench.harness.sensors.metering import window_energy
from pocketbench.harness.sensors.traces import Record, Trace, make_trace, traces_of
from tests.sensors.simulated import CURVES, SENSORS, START_NS, Curve, Simulated, records

QUARTER = 250_000_000
WINDOW = Window(START_NS + 10**10, START_NS + 40 * 10**10)
PLUGGED = "Current Battery Service state:\n  AC powered: false\n  USB powered: true\n  status: 3\n"


def raw(quantity: str, values: Sequence[float]) -> Trace:
    return make_trace(quantity, "battery", [index * QUARTER for index in range(len(values))], values, period_ns=QUARTER)


@pytest.mark.parametrize(
    ("phone", "current", "voltage", "scale"),
    [
        ("Mi A3", 1194458, 3_850_000, GaugeScale(1, 1, 1)),
        ("Pixel 6a", -342812, 4_012_500, GaugeScale(1, 1, -1)),
        ("Huawei P8 Lite 2017", -412, 3_790_000, GaugeScale(1000, 1, -1)),
        ("mV too", 655, 3790, GaugeScale(1000, 1000, 1)),
    ],
)
def test_sign_and_unit_of_phones_in_public_reports(phone, current, voltage, scale):
    assert find_scale(raw("current_raw", [current] * 9), raw("voltage_raw", [voltage] * 9)) == scale


@pytest.mark.parametrize(
    ("current", "voltage", "reason"),
    [
        ([0] * 9, [4e6] * 9, "a current of 0 all the time"),
        ([300e3, -300e3] * 5, [4e6] * 10, "changes its sign"),
        ([300e3] * 9, [12e6] * 9, "is no battery's"),
        ([8000] * 9, [4e6] * 9, "its unit is not known"),
        ([], [4e6], "no reading of current_raw"),
    ],
)
def test_what_cannot_be_told_is_said(current, voltage, reason):
    found = find_scale(raw("current_raw", current), raw("voltage_raw", voltage))

    assert isinstance(found, str)
    assert reason in found


def simulated(**changes: str) -> tuple[list[Record], Simulated]:
    """A Pixel's gauge for 440 s, with other texts for the nodes whose key ends so."""
    sensor = SENSORS["gauge of a Pixel 6a"]
    keys = [node.key for spec in sensor.specs for node in spec.nodes]
    changed = []
    for record in records(sensor, CURVES["waves"]):
        text = next((text for ending, text in changes.items() if keys[record.node].endswith(ending)), None)
        if text is None:
            changed.append(record)
        elif text:
            changed.append(Record(record.monotonic_ns, record.node, text.encode()))
    return changed, sensor


def energy(**changes: str):
    changed, sensor = simulated(**changes)
    return window_energy(sensor.spec, traces_of(sensor.specs, changed), WINDOW)


def test_a_phone_on_a_cable_has_no_battery_power():
    assert "it was plugged in" in (energy(battery=PLUGGED).reason or "")
    assert energy(status="Charging\n").reason == "the battery was not discharging"
    assert energy(status="Full\n").reason == "the battery was not discharging"


def test_a_phone_that_does_not_say_is_refused():
    found = energy(battery="Can't find service: battery\n", status="Unknown\n")

    assert found.energy_j is None
    assert found.reason == "nothing says whether the battery was charging"


def test_a_service_whose_values_were_set_by_hand_is_not_believed():
    frozen = PLUGGED.replace("state:\n", "state:\n  (UPDATES STOPPED -- use 'reset' to restart)\n")

    assert fuel_gauge.parse_battery_service(frozen.encode())[0].value is None


def test_a_plug_for_a_moment_spoils_its_window_only():
    changed, sensor = simulated()
    keys = [node.key for spec in sensor.specs for node in spec.nodes]
    late = [
        Record(one.monotonic_ns, one.node, PLUGGED.encode())
        if keys[one.node] == "dumpsys battery" and one.monotonic_ns > START_NS + 300 * 10**9
        else one
        for one in changed
    ]
    traces = traces_of(sensor.specs, late)

    early = window_energy(sensor.spec, traces, Window(START_NS + 10**10, START_NS + 25 * 10**10))

    assert early.energy_j is not None
    assert window_energy(sensor.spec, traces, WINDOW).energy_j is None


def test_a_current_without_a_unit_falls_back_to_the_charge_counter():
    found = energy(current_now="0\n")

    assert found.flags == ("from-charge-counter",)
    # 200 µAh/s in the simulation, near 4 V.
    assert found.energy_j == pytest.approx(200 * 3.6e-3 * 390 * 3.979, rel=0.01)


def test_a_charge_counter_that_hardly_steps_is_refused():
    charge = make_trace("charge_uah", "battery", [0, 1, 2, 10**12], [9, 8, 7, 6], period_ns=1)
    voltage = make_trace("voltage_uv", "battery", [0], [4e6], period_ns=1)

    assert "stepped 0 times" in (charge_energy(charge, voltage, Window(10, 20)).reason or "")


def test_repeats_count_once_for_each_update_of_the_register():
    """28 readings of 7 updates, of which two give the same."""
    values = [value for value in (5, 6, 7, 7, 8, 9, 5, 6, 7, 8, 9, 5, 6, 7) for _ in range(4)]

    new = register_updates(raw("current_raw", values))

    assert list(np.flatnonzero(new)) == list(range(0, len(values), 4))


def test_a_register_that_holds_does_not_make_a_rising_load_late():
    sensor = SENSORS["gauge of a Pixel 6a"]
    steep = Curve(lambda t: 1 + 0.05 * t, lambda t: t + 0.025 * t * t)
    traces = traces_of(sensor.specs, records(sensor, steep))

    found = window_energy(sensor.spec, traces, Window(START_NS + 10**10, START_NS + 11 * 10**10))

    assert found.energy_j == pytest.approx(steep.joules(110) - steep.joules(10), rel=0.005)


def test_a_short_window_of_a_gauge_is_flagged():
    sensor = SENSORS["gauge of a Pixel 6a"]
    traces = traces_of(sensor.specs, records(sensor, CURVES["waves"]))

    found = window_energy(sensor.spec, traces, Window(START_NS + 10**10, START_NS + 3 * 10**10))

    assert set(found.flags) == {"few-updates", "short-window"}
