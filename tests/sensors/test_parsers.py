"""Each source's text to numbers, and None for what it does not say. The samples stand in tests/checkup too."""

from __future__ import annotations

import pytest

from pocketbench.harness.sensors.android_battery import parse_battery
from pocketbench.harness.sensors.android_power import Screen, parse_screen
from pocketbench.harness.sensors.android_thermal import Temperature, parse_thermal_service
from pocketbench.harness.sensors.cpu_time import CpuTime, parse_cpu_time
from pocketbench.harness.sensors.meminfo import parse_meminfo
from pocketbench.harness.sensors.power_supply import PowerSupply, parse_power_supply
from pocketbench.harness.sensors.thermal_zone import parse_zone_temperature
from pocketbench.harness.sensors.vcgencmd import parse_temperature, parse_throttled
from tests.checkup.boards import MEMINFO
from tests.checkup.phones import BATTERY, POWER, SAMSUNG_BATTERY, SAMSUNG_THERMAL, THERMAL


def test_battery_of_a_phone_on_a_cable():
    battery = parse_battery(BATTERY)

    assert battery is not None
    assert (battery.level_percent, battery.status, battery.health) == (76.0, "charging", "good")
    assert (battery.temperature_celsius, battery.supplies, battery.frozen) == (27.4, ("USB",), False)


def test_only_the_first_block_of_the_battery_service_counts():
    battery = parse_battery(SAMSUNG_BATTERY)

    assert battery is not None
    assert (battery.level_percent, battery.temperature_celsius) == (18.0, 27.4)
    later = parse_battery(SAMSUNG_BATTERY.replace("  level: 18\n", ""))
    assert later is not None
    assert later.level_percent is None, "the event log further down has a level of its own"


def test_lines_that_a_phone_leaves_out_are_none():
    battery = parse_battery("Current Battery Service state:\n  level: 50\n  scale: 200\n")

    assert battery is not None
    assert battery.level_percent == 25.0
    assert (battery.status, battery.health, battery.temperature_celsius, battery.supplies) == (None, None, None, None)
    assert parse_battery("Can't find service: battery\n") is None


def test_frozen_values_are_marked():
    battery = parse_battery(BATTERY.replace("state:\n", "state:\n  (UPDATES STOPPED -- use 'reset' to restart)\n"))

    assert battery is not None
    assert battery.frozen


def test_screen():
    assert parse_screen(POWER) == Screen("Awake", stays_on=True, timeout_s=30.0)
    assert parse_screen("") == Screen(None, None, None)


def test_thermal_service_reads_what_is_now():
    seen = parse_thermal_service(THERMAL)

    assert seen.status == 0
    assert not seen.overridden
    # Not the cached 84.2 degrees; NaN and volts are none.
    assert seen.temperatures == (Temperature("CPU", 57.9), Temperature("VIRTUAL-SKIN", 31.600002))
    assert seen.throttles_from_celsius == {"VIRTUAL-SKIN": 39.0}


def test_thermal_service_of_samsung():
    seen = parse_thermal_service(SAMSUNG_THERMAL)

    assert seen.status == 3
    # 0.0 is a second battery that this phone does not have.
    assert [reading.name for reading in seen.temperatures] == ["AP", "BAT", "SKIN"]
    assert seen.throttles_from_celsius == {}


@pytest.mark.parametrize(
    ("text", "celsius"),
    [
        ("48312\n", 48.312),
        ("305\n", 30.5),
        ("31\n", 31.0),
        ("-5000\n", -5.0),
        ("0\n", None),
        ("-40000\n", None),
        ("-273000\n", None),
        ("999999\n", None),
        ("warm\n", None),
        ("", None),
    ],
)
def test_zone_temperature(text, celsius):
    assert parse_zone_temperature(text) == celsius


def test_throttled_bits():
    throttled = parse_throttled("throttled=0x50005\n")

    assert throttled is not None
    assert throttled.under_voltage_now
    assert throttled.under_voltage_since_boot
    assert throttled.slowed_now == ("throttled",)
    assert throttled.slowed_since_boot == ("throttled",)
    capped = parse_throttled("throttled=0xa000a")
    assert capped is not None
    assert not capped.under_voltage_now
    assert capped.slowed_now == ("Arm frequency capped", "soft temperature limit")
    assert capped.slowed_since_boot == ("Arm frequency capped", "soft temperature limit")


@pytest.mark.parametrize(
    "text", ["", "throttled=", "throttled=50005", "error=1", "throttled=0xg", "throttled=0x0 more"]
)
def test_throttled_that_is_none(text):
    assert parse_throttled(text) is None


@pytest.mark.parametrize(("text", "celsius"), [("temp=39.5'C\n", 39.5), ("temp=39.5", None), ("temp=nan'C", None)])
def test_firmware_temperature(text, celsius):
    assert parse_temperature(text) == celsius


def test_busy_share():
    before = parse_cpu_time("cpu  1000 0 500 8000 100 0 0 0 0 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
    after = parse_cpu_time("cpu  1030 0 510 8140 120 0 0 0 999 0\n")

    assert before == CpuTime(busy=1500, total=9600)
    assert after is not None
    assert after.busy_share_since(before) == pytest.approx(0.2)  # guests' time is in that of users already
    assert before.busy_share_since(before) is None
    assert parse_cpu_time("cpu0 1 2 3 4 5\n") is None


def test_memory():
    memory = parse_meminfo(MEMINFO)

    assert memory.available_bytes == 7411232 * 1024
    assert memory.swap_used_bytes == 0
    assert parse_meminfo("SwapTotal: 5 kB\n").swap_used_bytes is None


def test_power_supplies():
    battery = {"type": "Battery\n", "status": "Discharging\n", "capacity": "93\n"}

    assert parse_power_supply(battery) == PowerSupply("Battery", "Discharging", 93, None)
    assert parse_power_supply({"type": "Mains\n", "online": "1\n"}) == PowerSupply("Mains", None, None, online=True)
    assert parse_power_supply({**battery, "capacity": "300\n", "status": "?\n"}) == PowerSupply(
        "Battery", None, None, None
    )
    assert parse_power_supply({**battery, "scope": "Device\n"}) is None
    assert parse_power_supply({"status": "Full\n"}) is None
