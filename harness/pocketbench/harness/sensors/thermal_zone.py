"""Files of /sys/class/thermal (Documentation/ABI/testing/sysfs-class-thermal)."""

from __future__ import annotations

import re

__all__ = ["parse_zone_temperature"]


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
