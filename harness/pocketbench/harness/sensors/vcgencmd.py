"""`vcgencmd` of a Raspberry Pi: what its firmware measures and does.

https://www.raspberrypi.com/documentation/computers/os.html#vcgencmd
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from pocketbench.harness.sensors.listing import Listing
from pocketbench.harness.sensors.readings import Parser, Reading, known, shown, unknown
from pocketbench.harness.sensors.spec import CommandNode, Discovered, SensorSpec

__all__ = [
    "PATTERNS",
    "PROGRAMS",
    "Throttled",
    "discover",
    "parse_clock_hz",
    "parse_temperature",
    "parse_throttled",
    "parse_volts",
]

PATTERNS: tuple[str, ...] = ()
PROGRAMS: tuple[str, ...] = ("vcgencmd",)
# The bits "since boot" are cleared only by a restart, so those of the moment are sampled. A process for each reading.
_RATE_HZ = 1.0


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


# frequency(48)=2000478464
# frequency(0)=2400023808
# The number in brackets differs by model and says nothing.
def parse_clock_hz(text: str) -> int | None:
    """`vcgencmd measure_clock arm`, as the firmware runs it."""
    match = re.fullmatch(r"frequency\(\d{1,3}\)=(\d{1,11})\s*", text, re.ASCII)
    return int(match[1]) if match else None


# volt=0.7200V
def parse_volts(text: str) -> float | None:
    """`vcgencmd measure_volts core`."""
    match = re.fullmatch(r"volt=(\d{1,2}\.\d{1,6})V\s*", text, re.ASCII)
    return float(match[1]) if match else None


def _throttled_bits(text: str) -> int | None:
    throttled = parse_throttled(text)
    return None if throttled is None else throttled.bits


def _parser(quantity: str, source: str, convert: Callable[[str], float | None], factor: float = 1) -> Parser:
    def parse(data: bytes) -> tuple[Reading, ...]:
        value = convert(data.decode("ascii", errors="replace"))
        if value is None:
            return (unknown(quantity, source, f"expected what vcgencmd prints, got {shown(data)}"),)
        return (known(quantity, source, value * factor),)

    return parse


def discover(listing: Listing) -> Discovered:
    """On a Raspberry Pi; who may not open /dev/vcio gets an error text, which the readings show."""
    if "vcgencmd" not in listing.programs:
        return Discovered.nothing("vcgencmd", "no program vcgencmd: this is not a Raspberry Pi with its system")
    nodes = (
        CommandNode(("vcgencmd", "measure_temp"), _parser("temperature_c", "SoC (firmware)", parse_temperature)),
        CommandNode(("vcgencmd", "get_throttled"), _parser("throttled_bits", "firmware", _throttled_bits)),
        CommandNode(("vcgencmd", "measure_clock", "arm"), _parser("frequency_khz", "arm", parse_clock_hz, 1e-3)),
        CommandNode(("vcgencmd", "measure_volts", "core"), _parser("voltage_uv", "core", parse_volts, 1e6)),
    )
    return Discovered((SensorSpec("vcgencmd", _RATE_HZ, nodes),))
