"""`dumpsys battery` of Android (AOSP frameworks/base, services/core/java/com/android/server/BatteryService.java)."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Battery", "parse_battery"]

_TEXT_CHARACTERS = 20_000
_HEADER = "Current Battery Service state:"
# BatteryManager.BATTERY_STATUS_… and BATTERY_HEALTH_…
_STATUS = {1: "unknown", 2: "charging", 3: "discharging", 4: "not charging", 5: "full"}
_HEALTH = {1: "unknown", 2: "good", 3: "overheat", 4: "dead", 5: "over voltage", 6: "failure", 7: "cold"}
_SUPPLIES = ("AC", "USB", "Wireless", "Dock")


@dataclass(frozen=True, slots=True)
class Battery:
    """What the battery service says; None for what it leaves out.

    `supplies` are the chargers that are plugged in. `frozen`: somebody ran `dumpsys battery set` or `unplug`, and
    everything here is what was set then, not what is.
    """

    level_percent: float | None
    status: str | None
    health: str | None
    temperature_celsius: float | None
    supplies: tuple[str, ...] | None
    frozen: bool
    voltage_uv: int | None = None
    charge_uah: int | None = None


# Current Battery Service state:
#   (UPDATES STOPPED -- use 'reset' to restart)
#   AC powered: false
#   USB powered: true
#   Wireless powered: false
#   Max charging current: 500000
#   status: 2
#   health: 2
#   level: 100
#   scale: 100
#   voltage: 4352
#   temperature: 274
#   Charge counter: 3270000
# Samsung appends an event log with further "level:" and "temperature:": only the first block counts. MIUI leaves lines
# out.
def parse_battery(text: str) -> Battery | None:
    """Read the first block; None where there is none."""
    lines = text[:_TEXT_CHARACTERS].splitlines()
    if _HEADER not in lines:
        return None
    values: dict[str, str] = {}
    frozen = False
    for line in lines[lines.index(_HEADER) + 1 :]:
        if line.startswith("  (UPDATES STOPPED"):
            frozen = True
        elif match := re.fullmatch(r"  ([A-Za-z]+(?: [A-Za-z]+){0,3}): ?(\S{0,40}) *", line, re.ASCII):
            values.setdefault(match[1], match[2])
        elif not line.startswith("  "):
            break
    level, scale = _integer(values.get("level")), _integer(values.get("scale")) or 100
    tenths = _integer(values.get("temperature"))
    powered = [values.get(f"{supply} powered") for supply in _SUPPLIES]
    return Battery(
        level_percent=100 * level / scale if level is not None and 0 <= level <= scale else None,
        status=_STATUS.get(_integer(values.get("status")) or 0),
        health=_HEALTH.get(_integer(values.get("health")) or 0),
        temperature_celsius=tenths / 10 if tenths is not None and -400 < tenths < 1500 else None,
        supplies=(
            tuple(supply for supply, on in zip(_SUPPLIES, powered, strict=True) if on == "true")
            if any(powered)
            else None
        ),
        frozen=frozen,
        voltage_uv=_micro_volts(_integer(values.get("voltage"))),
        charge_uah=charge if (charge := _integer(values.get("Charge counter"))) is not None and charge > 0 else None,
    )


def _micro_volts(millivolts: int | None) -> int | None:
    """A battery of one or two cells; anything else is another unit or no voltage."""
    return millivolts * 1000 if millivolts is not None and 2000 < millivolts < 10_000 else None


def _integer(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"-?\d{1,9}", text, re.ASCII) else None
