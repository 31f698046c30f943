"""The battery's own meter: files of /sys/class/power_supply, and on Android `dumpsys battery` and `cmd battery get`.

The kernel's ABI (Documentation/ABI/testing/sysfs-class-power) says µA, negative while discharging, and µV. Phones do as
they like: values are kept raw here, and gauge_power.py finds unit and sign from a whole trace.
"""

from __future__ import annotations

import re

from pocketbench.harness.sensors.android_battery import parse_battery
from pocketbench.harness.sensors.integers import integer_parser, parse_integer
from pocketbench.harness.sensors.listing import Listing
from pocketbench.harness.sensors.readings import Reading, known, shown, unknown
from pocketbench.harness.sensors.spec import CommandNode, Discovered, Node, PathNode, SensorSpec

__all__ = ["PATTERNS", "PROGRAMS", "SOURCE", "discover", "parse_battery_service", "parse_command", "parse_status"]

SOURCE = "battery"
_FOLDER = "/sys/class/power_supply/*"
_FILES = ("type", "scope", "status", "current_now", "voltage_now", "charge_counter")
PATTERNS: tuple[str, ...] = tuple(f"{_FOLDER}/{file}" for file in _FILES)
PROGRAMS: tuple[str, ...] = ("cmd", "dumpsys")
_SERVICE = ("dumpsys", "battery")
_CURRENT = ("cmd", "battery", "get", "current_now")
# A published gauge updates its register 0.28 times a second; four readings find the update within a quarter second.
_RATE_HZ = 4.0
# What is plugged in does not change without somebody's hand, and the service is slow.
_SERVICE_RATE_HZ = 0.2
# Integer.MIN_VALUE of BatteryManager, and Integer.MAX_VALUE of drivers: the gauge does not have it.
_NOT_THERE = {-(2**31), 2**31 - 1}


# Discharging
def parse_status(data: bytes) -> tuple[Reading, ...]:
    """Whether the battery feeds the device; `Unknown` says nothing."""
    match = re.fullmatch(rb"(Charging|Discharging|Full|Not charging|Unknown)\s*", data)
    if match is None or match[1] == b"Unknown":
        return (unknown("discharging_flag", SOURCE, f"expected Charging, Discharging or Full, got {shown(data)}"),)
    return (known("discharging_flag", SOURCE, match[1] == b"Discharging"),)


# -342812
# Unknown get option: current_now
def parse_command(data: bytes) -> tuple[Reading, ...]:
    """`cmd battery get current_now`, which some phones have where their files are refused."""
    value = parse_integer(data)
    if value is None or value in _NOT_THERE:
        return (unknown("current_raw", SOURCE, f"expected a current, got {shown(data)}"),)
    return (known("current_raw", SOURCE, value),)


def parse_battery_service(data: bytes) -> tuple[Reading, ...]:
    """What `dumpsys battery` says of cable, charge (µAh), voltage and temperature; nothing where it was set by hand."""
    text = data.decode(errors="replace")
    battery = parse_battery(text)
    if battery is None or battery.frozen:
        why = "it was set by hand: run `dumpsys battery reset`" if battery else f"expected its state, got {shown(data)}"
        return (unknown("plugged_flag", SOURCE, why),)
    figures = (
        ("plugged_flag", None if battery.supplies is None else bool(battery.supplies)),
        ("discharging_flag", None if battery.status in (None, "unknown") else battery.status == "discharging"),
        ("charge_uah", battery.charge_uah),
        ("voltage_uv", battery.voltage_uv),
        ("temperature_c", battery.temperature_celsius),
    )
    return tuple(
        unknown(quantity, SOURCE, "the battery service leaves it out")
        if value is None
        else known(quantity, SOURCE, value)
        for quantity, value in figures
    )


def discover(listing: Listing) -> Discovered:
    """The first battery of the device itself; one of a mouse has the scope "Device"."""
    nodes = _file_nodes(listing)
    if not nodes and "cmd" in listing.programs and "dumpsys" in listing.programs:
        nodes = (CommandNode(_CURRENT, parse_command),)
    parts = []
    if nodes:
        parts.append(Discovered((SensorSpec("fuel-gauge", _RATE_HZ, nodes, "battery", (SOURCE,)),)))
    else:
        parts.append(Discovered.nothing("fuel-gauge", listing.why_not(f"{_FOLDER}/current_now")))
    if "dumpsys" in listing.programs:
        service = CommandNode(_SERVICE, parse_battery_service)
        parts.append(Discovered((SensorSpec("battery-service", _SERVICE_RATE_HZ, (service,)),)))
    return Discovered.all_of(parts)


def _file_nodes(listing: Listing) -> tuple[Node, ...]:
    for path in listing.readable(f"{_FOLDER}/type"):
        folder = path.rpartition("/")[0]
        if listing.text(path) != "Battery" or listing.text(f"{folder}/scope") == "Device":
            continue
        parsers = {
            "current_now": integer_parser("current_raw", SOURCE),
            "voltage_now": integer_parser("voltage_raw", SOURCE),
            "charge_counter": integer_parser("charge_uah", SOURCE),
            "status": parse_status,
        }
        nodes = tuple(
            PathNode(f"{folder}/{file}", parser)
            for file, parser in parsers.items()
            if f"{folder}/{file}" in listing.files
        )
        if f"{folder}/current_now" in listing.files:
            return nodes
    return ()
