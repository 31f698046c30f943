"""What a sensor says: a value with its quantity, or the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from pocketbench.harness.devices.parsers import clean_text

__all__ = ["QUANTITIES", "Parser", "Quantity", "Reading", "known", "shown", "unknown"]

_SHOWN_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Quantity:
    """The unit, and what a device can have: anything outside is a damaged text or a sensor that is not there.

    `is_counter`: only differences mean something.
    """

    unit: str
    lowest: float
    highest: float
    is_counter: bool = False


# One unit for each quantity; electric ones in millionths, which is what the kernel's ABI gives without rounding.
# "raw" is a number whose unit and sign are not known before a whole trace of it was seen (fuel_gauge.py).
QUANTITIES = {
    "charge_uah": Quantity("µAh", 0, 10**9),
    "cpu_busy_ticks": Quantity("ticks", 0, 2**63, is_counter=True),
    "cpu_total_ticks": Quantity("ticks", 0, 2**63, is_counter=True),
    "current_raw": Quantity("", -(10**9), 10**9),
    "current_ua": Quantity("µA", -2 * 10**8, 2 * 10**8),
    "discharging_flag": Quantity("", 0, 1),
    "energy_uj": Quantity("µJ", 0, 2**63, is_counter=True),
    "frequency_khz": Quantity("kHz", 1, 10**7),
    "load_average": Quantity("", 0, 10**6),
    "memory_bytes": Quantity("B", 0, 2**50),
    "plugged_flag": Quantity("", 0, 1),
    "power_uw": Quantity("µW", -2 * 10**9, 2 * 10**9),
    "residency_ms": Quantity("ms", 0, 2**63, is_counter=True),
    "temperature_c": Quantity("°C", -40, 150),
    "thermal_status": Quantity("", 0, 6),
    "throttle_count": Quantity("", 0, 2**63, is_counter=True),
    "throttled_bits": Quantity("", 0, 2**32 - 1),
    "transitions": Quantity("", 0, 2**63, is_counter=True),
    "under_voltage_flag": Quantity("", 0, 1),
    "voltage_raw": Quantity("", 0, 10**9),
    "voltage_uv": Quantity("µV", 0, 10**8),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """One value. `quantity` is a key of QUANTITIES, `source` says of what: a zone, a rail, a core.

    Exactly one of `value` and `reason` is None. `clock_ms` is the sensor's own time of the value, where it has one.
    """

    quantity: str
    source: str
    value: float | None
    reason: str | None = None
    clock_ms: int | None = None

    def __post_init__(self) -> None:
        facts = QUANTITIES[self.quantity]
        if (self.value is None) == (self.reason is None):
            raise ValueError(f"expected either a value or a reason for {self.quantity} of {self.source}")
        if self.value is not None and not facts.lowest <= self.value <= facts.highest:
            raise ValueError(f"expected {self.quantity} from {facts.lowest} to {facts.highest}, got {self.value}")


# What a node printed, to what it says: no exception whatever the bytes are.
Parser = Callable[[bytes], tuple[Reading, ...]]


def known(quantity: str, source: str, value: float, *, clock_ms: int | None = None) -> Reading:
    """The value; or why not, where no device can have it."""
    facts = QUANTITIES[quantity]
    if not math.isfinite(value) or not facts.lowest <= value <= facts.highest:
        limits = f"{facts.lowest:g} to {facts.highest:g} {facts.unit}".rstrip()
        return unknown(quantity, source, f"expected {limits}, got {value:g}")
    return Reading(quantity, source, value, clock_ms=clock_ms)


def unknown(quantity: str, source: str, reason: str) -> Reading:
    """No value, and why."""
    return Reading(quantity, source, None, reason)


def shown(data: bytes) -> str:
    """What a device printed, fit for a message: one short line between quotes."""
    text = clean_text(data[: 4 * _SHOWN_CHARACTERS].decode(errors="replace"))
    return repr(text[:_SHOWN_CHARACTERS]) if text else "nothing"
