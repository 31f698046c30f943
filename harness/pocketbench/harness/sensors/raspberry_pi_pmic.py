"""Currents and voltages of a Raspberry Pi 5 behind its power management chip: `vcgencmd pmic_read_adc`.

The sum is the power of the 12 rails that have both. It is not the power that goes into the board: nothing is known of
the current on EXT5V, and USB devices are left out. One reading takes about 23 ms of the firmware's time, rail after
rail, so that the rails are not of the same moment (ml-energy/zeus, issue 273 and its captures).
"""

from __future__ import annotations

import re

from pocketbench.harness.sensors.listing import Listing
from pocketbench.harness.sensors.readings import Reading, known, shown, unknown
from pocketbench.harness.sensors.spec import CommandNode, Discovered, SensorSpec

__all__ = ["PATTERNS", "PROGRAMS", "discover", "parse"]

_NAME = "raspberry-pi-pmic"
_SUM = "rails"
_COMPATIBLE = "/sys/firmware/devicetree/base/compatible"
PATTERNS: tuple[str, ...] = (_COMPATIBLE,)
PROGRAMS: tuple[str, ...] = ("vcgencmd",)
# Twice as often would keep the firmware busy half of the time.
_RATE_HZ = 10.0
_TEXT_BYTES = 8000
_RAILS = 40
_LINE = re.compile(
    rb"\s*([A-Z0-9_]{1,20})_(?:(A) current|(V) volt)\(\d{1,3}\)=(?:(-?\d{1,4}\.\d{1,10})|-?(?:nan|inf))([AV])\s*"
)


#  3V7_WL_SW_A current(0)=0.09368929A
#  3V7_WL_SW_V volt(8)=3.69977600V
#      EXT5V_V volt(24)=5.09066000V
# Current and voltage belong together by name, and not by the number in brackets. Through the mailbox NUL ends a line.
def parse(data: bytes) -> tuple[Reading, ...]:
    """The power of each rail, and their sum as `rails`: only where every rail that has a current is known."""
    figures: dict[str, dict[str, float | None]] = {"A": {}, "V": {}}
    lines = [line for line in re.split(rb"[\n\0]", data[:_TEXT_BYTES]) if line.strip()]
    for line in lines[: 2 * _RAILS + 1]:
        match = _LINE.fullmatch(line)
        unit = "A" if match and match[2] else "V"
        if match is None or match[5].decode() != unit or match[1].decode() in figures[unit]:
            return (unknown("power_uw", _SUM, f"expected a rail's current or voltage, got {shown(line)}"),)
        figures[unit][match[1].decode()] = float(match[4]) if match[4] else None
    if not figures["A"]:
        return (unknown("power_uw", _SUM, f"expected the rails of a Raspberry Pi 5, got {shown(data)}"),)
    rails = tuple(_rail(name, amperes, figures["V"].get(name)) for name, amperes in figures["A"].items())
    return (*rails, _sum(rails))


def _rail(name: str, amperes: float | None, volts: float | None) -> Reading:
    if amperes is None or volts is None:
        return unknown("power_uw", name, "its current or its voltage is missing or no number")
    return known("power_uw", name, amperes * volts * 1e6)


def _sum(rails: tuple[Reading, ...]) -> Reading:
    powers = [rail.value for rail in rails]
    unknown_rails = [rail.source for rail in rails if rail.value is None]
    if unknown_rails:
        return unknown("power_uw", _SUM, f"nothing is known of {', '.join(unknown_rails)}")
    return known("power_uw", _SUM, sum(power for power in powers if power is not None))


def discover(listing: Listing) -> Discovered:
    """Only where the chip is a BCM2712: older models have no current sensing."""
    if "vcgencmd" not in listing.programs:
        return Discovered.nothing(_NAME, "no program vcgencmd: this is not a Raspberry Pi with its system")
    if b"brcm,bcm2712" not in listing.files.get(_COMPATIBLE, b"").split(b"\0"):
        return Discovered.nothing(_NAME, "only a Raspberry Pi 5 senses currents: measure its input with a meter")
    node = CommandNode(("vcgencmd", "pmic_read_adc"), parse)
    return Discovered((SensorSpec(_NAME, _RATE_HZ, (node,), "rails", (_SUM,)),))
