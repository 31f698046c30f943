"""`dumpsys thermalservice` of Android 10 and later (AOSP …/server/power/ThermalManagerService.java)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pocketbench.harness.sensors.listing import Listing
from pocketbench.harness.sensors.readings import Reading, known, shown, unknown
from pocketbench.harness.sensors.spec import CommandNode, Discovered, SensorSpec

__all__ = [
    "PATTERNS",
    "PROGRAMS",
    "STATUS_NAMES",
    "Temperature",
    "ThermalService",
    "discover",
    "parse",
    "parse_thermal_service",
]

_COMMAND = ("dumpsys", "thermalservice")
PATTERNS: tuple[str, ...] = ()
PROGRAMS: tuple[str, ...] = ("dumpsys",)
# A process and a call into the system server for each; a thermal status lasts seconds.
_RATE_HZ = 1.0

_TEXT_CHARACTERS = 100_000
_ITEMS = 100
# android.os.PowerManager.THERMAL_STATUS_…
STATUS_NAMES = ("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")
# android.os.Temperature.TYPE_BCL_…: volts, milliamperes and percent
_NO_DEGREES = {6, 7, 8}
_NAME = r"mName=(?P<name>[A-Za-z0-9_.:-]{1,40})"
_TEMPERATURE = re.compile(
    rf"\s+Temperature\{{mValue=(?P<value>-?[0-9.E-]{{1,20}}), mType=(?P<type>-?\d{{1,4}}), {_NAME}, mStatus=\d\}}",
    re.ASCII,
)
_THRESHOLD = re.compile(
    rf"\s+TemperatureThreshold\{{mType=-?\d{{1,4}}, {_NAME}, mHotThrottlingThresholds=\[(?P<hot>[^]]{{1,200}})\].*",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Temperature:
    """One sensor of the thermal HAL."""

    name: str
    celsius: float


@dataclass(frozen=True, slots=True)
class ThermalService:
    """`status` is 0 (none) to 6 (shutdown), and counts for nothing where it is `overridden` by `cmd thermalservice`.

    `throttles_from_celsius` has, by the name of a sensor, the lowest temperature at which it throttles.
    """

    status: int | None
    overridden: bool
    temperatures: tuple[Temperature, ...]
    throttles_from_celsius: Mapping[str, float]


# IsStatusOverride: false
# Thermal Status: 0
# Cached temperatures:
#         Temperature{mValue=84.208, mType=0, mName=CPU, mStatus=0}
# HAL Ready: true
# Current temperatures from HAL:
#         Temperature{mValue=57.9, mType=0, mName=CPU, mStatus=0}
# Current cooling devices from HAL:
#         CoolingDevice{mValue=1, mType=6, mName=lcd-backlight}
# Temperature static thresholds from HAL:
#         TemperatureThreshold{mType=3, mName=SKIN, mHotThrottlingThresholds=[NaN, NaN, NaN, 50.0, 70.0, 80.0, 90.0], …}
# "Cached" is old: 84.2 degrees there while the HAL said 57.9. Samsung lists sensors that it does not have with 0.0.
def parse_thermal_service(text: str) -> ThermalService:
    """Read what is now; empty where the HAL is not ready."""
    bounded = text[:_TEXT_CHARACTERS]
    status = re.search(r"^Thermal Status: ([0-6])$", bounded, re.MULTILINE | re.ASCII)
    temperatures = tuple(
        reading
        for line in _section(bounded, "Current temperatures from HAL:")
        if (reading := _temperature(line)) is not None
    )
    thresholds = dict(
        found
        for line in _section(bounded, "Temperature static thresholds from HAL:")
        if (found := _threshold(line)) is not None
    )
    return ThermalService(
        status=int(status[1]) if status else None,
        overridden=re.search(r"^IsStatusOverride: true$", bounded, re.MULTILINE) is not None,
        temperatures=temperatures,
        throttles_from_celsius=thresholds,
    )


def _section(text: str, title: str) -> list[str]:
    """The indented lines below `title`."""
    lines = text.splitlines()
    if title not in lines:
        return []
    start = lines.index(title) + 1
    end = next((i for i in range(start, len(lines)) if not lines[i][:1].isspace()), len(lines))
    return lines[start : min(end, start + _ITEMS)]


def _temperature(line: str) -> Temperature | None:
    match = _TEMPERATURE.fullmatch(line)
    if match is None or int(match["type"]) in _NO_DEGREES or match["name"].lower().startswith(("vbat", "ibat")):
        return None
    celsius = _degrees(match["value"])
    return None if celsius is None else Temperature(match["name"], celsius)


def _threshold(line: str) -> tuple[str, float] | None:
    match = _THRESHOLD.fullmatch(line)
    if match is None:
        return None
    known = [celsius for part in match["hot"].split(",") if (celsius := _degrees(part.strip())) is not None]
    return (match["name"], min(known)) if known else None


def _degrees(text: str) -> float | None:
    """Exactly 0 is a sensor that is not there; NaN and what no phone survives are none either."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if -40 < value < 150 and value != 0 else None


def parse(data: bytes) -> tuple[Reading, ...]:
    """The status, and each temperature that the HAL has now."""
    seen = parse_thermal_service(data.decode(errors="replace"))
    return (_status(seen, data), *(known("temperature_c", one.name, one.celsius) for one in seen.temperatures))


def _status(seen: ThermalService, data: bytes) -> Reading:
    if seen.overridden:
        return unknown("thermal_status", "android", "it was set by hand: run `cmd thermalservice reset`")
    if seen.status is None:
        return unknown("thermal_status", "android", f"expected a line Thermal Status, got {shown(data)}")
    return known("thermal_status", "android", seen.status)


def discover(listing: Listing) -> Discovered:
    """Phones with Android 10 and later; older ones answer that there is no such service, which the readings say."""
    if "dumpsys" not in listing.programs:
        return Discovered.nothing("android-thermal", "no program dumpsys: this is not Android")
    return Discovered((SensorSpec("android-thermal", _RATE_HZ, (CommandNode(_COMMAND, parse),)),))
