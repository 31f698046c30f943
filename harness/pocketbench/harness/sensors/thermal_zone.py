"""Files of /sys/class/thermal (Documentation/ABI/testing/sysfs-class-thermal)."""

from __future__ import annotations

import re
from collections import Counter

from pocketbench.harness.sensors.listing import Listing
from pocketbench.harness.sensors.readings import Parser, Reading, known, shown, unknown
from pocketbench.harness.sensors.spec import Discovered, PathNode, SensorSpec

__all__ = ["PATTERNS", "PROGRAMS", "discover", "parse_zone_temperature"]

_TEMPERATURES = "/sys/class/thermal/thermal_zone*/temp"
_TYPES = "/sys/class/thermal/thermal_zone*/type"
PATTERNS: tuple[str, ...] = (_TEMPERATURES, _TYPES)
PROGRAMS: tuple[str, ...] = ()
# A chip's temperature follows its load within about a second; the kernel polls zones once or twice a second.
_RATE_HZ = 2.0


# 48312
def parse_zone_temperature(text: str) -> float | None:
    """`temp` of a zone in degrees Celsius.

    The kernel's unit is a thousandth of a degree; some phones give tenths or whole degrees, which the magnitude tells.
    0, -40000 and -273000 stand for a sensor that is not there.
    """
    match = re.fullmatch(r"(-?\d{1,9})\s*", text, re.ASCII)
    if match is None:
        return None
    value = int(match[1])
    size = abs(value)
    celsius = value / 1000 if size >= 1000 else value / 10 if size > 150 else float(value)
    return celsius if -40 < celsius < 150 and value != 0 else None


def discover(listing: Listing) -> Discovered:
    """One node for each zone that gives a temperature now, named after its type: `cpu-thermal`.

    Zones of one type have their number too: `cpu (thermal_zone4)`.
    """
    types = {_zone(path): listing.text(path) or _zone(path) for path in listing.readable(_TYPES)}
    paths = [path for path in listing.readable(_TEMPERATURES) if _celsius(listing.files[path]) is not None]
    if not paths:
        return Discovered.nothing("thermal-zones", _why_none(listing))
    names = [types.get(_zone(path), _zone(path)) for path in paths]
    count = Counter(names)
    nodes = tuple(
        PathNode(path, _parser(name if count[name] == 1 else f"{name} ({_zone(path)})"))
        for path, name in zip(paths, names, strict=True)
    )
    return Discovered((SensorSpec("thermal-zones", _RATE_HZ, nodes),))


def _why_none(listing: Listing) -> str:
    if listing.readable(_TEMPERATURES):
        return "every zone gives 0, or what no device survives"
    return listing.why_not(_TEMPERATURES)


def _celsius(data: bytes) -> float | None:
    return parse_zone_temperature(data.decode("ascii", errors="replace"))


def _zone(path: str) -> str:
    return path.split("/")[-2]


def _parser(source: str) -> Parser:
    def parse(data: bytes) -> tuple[Reading, ...]:
        celsius = _celsius(data)
        if celsius is None:
            return (unknown("temperature_c", source, f"expected thousandths of a degree, got {shown(data)}"),)
        return (known("temperature_c", source, celsius),)

    return parse
