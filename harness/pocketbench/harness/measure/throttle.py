"""Was a launch throttled? Three signs that do not depend on each other; each None where the device cannot say.

- *declared*: the system says so. Android's thermal status above NONE (Jetpack Microbenchmark's rule), the flags of a
  Raspberry Pi's firmware.
- *frequency*: the cores were at 95 % of the expected frequency or more for less than 95 % of the time.
- *drift*: latency rose during the launch (drift.py). A launch that is slow from start to end shows none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pocketbench.harness.measure.drift import Drift

__all__ = [
    "RESIDENCY_FLOOR",
    "ThrottleSigns",
    "android_declares",
    "pi_declares",
    "pi_under_voltage",
    "residency_share",
    "sampled_share",
    "throttle_signs",
]

# Governors step by 4 to 10 %: 95 % tells the highest step from the next, and forgives the 0.02 % that a Raspberry Pi's
# measured clock is off. A launch's first moments, while the governor raises the clock, are less than 5 % of it.
_AT_FREQUENCY = 0.95
RESIDENCY_FLOOR = 0.95

# `vcgencmd get_throttled`, from Raspberry Pi's documentation: 0 under-voltage, 1 Arm frequency capped, 2 throttled,
# 3 soft temperature limit; 16 to 19 the same, has occurred since boot.
_PI_UNDER_VOLTAGE = 1 << 0
_PI_SLOWED = 1 << 1 | 1 << 2 | 1 << 3
_PI_STICKY_SHIFT = 16


@dataclass(frozen=True, slots=True)
class ThrottleSigns:
    """Each True, False, or None for what the device cannot say."""

    declared: bool | None
    frequency: bool | None
    drift: bool | None


def throttle_signs(declared: bool | None, share_at_frequency: float | None, drift: Drift | None) -> ThrottleSigns:
    """Put the three together; `share_at_frequency` is the lowest of all cores that were used."""
    return ThrottleSigns(
        declared,
        None if share_at_frequency is None else share_at_frequency < RESIDENCY_FLOOR,
        None if drift is None else drift.direction == "slower",
    )


def android_declares(statuses: Sequence[int]) -> bool | None:
    """From the thermal statuses (android.os.PowerManager, 0 is NONE) that were read during the launch."""
    return max(statuses) > 0 if statuses else None


def pi_declares(before: int | None, during: Sequence[int], after: int | None) -> bool | None:
    """From `get_throttled` before, at 1 Hz during, and after the launch: slowed then, or newly noted since boot.

    The noted bits clear at boot only, so those of an earlier launch do not count. None where nothing was read.
    """
    return _pi_bits(_PI_SLOWED, before, during, after)


def pi_under_voltage(before: int | None, during: Sequence[int], after: int | None) -> bool | None:
    """The same of the supply's voltage, which halves the clock without any heat."""
    return _pi_bits(_PI_UNDER_VOLTAGE, before, during, after)


def residency_share(before_ticks: Mapping[int, int], after_ticks: Mapping[int, int], expected_khz: int) -> float | None:
    """Share of time at 95 % of `expected_khz` or more, from two readings of `time_in_state` (kHz to ticks).

    None where no tick passed, or the counters were reset in between. Not on a Raspberry Pi: there the kernel shows what
    it asked for, and the firmware does otherwise (raspberrypi/linux #5874): `sampled_share`.
    """
    passed = {khz: ticks - before_ticks.get(khz, 0) for khz, ticks in after_ticks.items()}
    total = sum(passed.values())
    if total <= 0 or min(passed.values()) < 0:
        return None
    return sum(ticks for khz, ticks in passed.items() if khz >= _AT_FREQUENCY * expected_khz) / total


def sampled_share(frequencies_hz: Sequence[float], expected_hz: float) -> float | None:
    """The same from frequencies that were measured at a steady rate; None without any."""
    if not frequencies_hz:
        return None
    return sum(frequency >= _AT_FREQUENCY * expected_hz for frequency in frequencies_hz) / len(frequencies_hz)


def _pi_bits(mask: int, before: int | None, during: Sequence[int], after: int | None) -> bool | None:
    now = any(value & mask for value in during)
    if before is None or after is None:
        return now if during else None
    return now or bool((after & ~before) >> _PI_STICKY_SHIFT & mask)
