"""`vcgencmd` of a Raspberry Pi: what its firmware measures and does.

https://www.raspberrypi.com/documentation/computers/os.html#vcgencmd
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Throttled", "parse_temperature", "parse_throttled"]


@dataclass(frozen=True, slots=True)
class Throttled:
    """The bits of get_throttled: each 0 to 3 now, 16 to 19 since the last start.

    Throttling here is any of: frequency capped (1), throttled (2), soft temperature limit (3).
    """

    bits: int

    @property
    def under_voltage_now(self) -> bool:
        """The supply is below 4.63 V at this moment."""
        return bool(self.bits & 1 << 0)

    @property
    def under_voltage_since_boot(self) -> bool:
        """It was, at some time since the start."""
        return bool(self.bits & 1 << 16)

    @property
    def slowed_now(self) -> tuple[str, ...]:
        """What slows the cores down at this moment."""
        return self._named(0)

    @property
    def slowed_since_boot(self) -> tuple[str, ...]:
        """What slowed them down at some time since the start."""
        return self._named(16)

    def _named(self, shift: int) -> tuple[str, ...]:
        names = {1: "Arm frequency capped", 2: "throttled", 3: "soft temperature limit"}
        return tuple(name for bit, name in names.items() if self.bits & 1 << bit + shift)


# throttled=0x50005
def parse_throttled(text: str) -> Throttled | None:
    """`vcgencmd get_throttled`."""
    match = re.fullmatch(r"throttled=0x([0-9a-fA-F]{1,8})\s*", text, re.ASCII)
    return Throttled(int(match[1], 16)) if match else None


# temp=39.5'C
def parse_temperature(text: str) -> float | None:
    """`vcgencmd measure_temp`, in degrees Celsius."""
    match = re.fullmatch(r"temp=(-?\d{1,3}\.\d)'C\s*", text, re.ASCII)
    return float(match[1]) if match else None
