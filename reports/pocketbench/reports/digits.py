"""Numbers and instants as a reader wants them: with their unit, and no more digits than their interval supports."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from pocketbench.reports.campaign import Interval
from pocketbench.reports.names import shorten

__all__ = [
    "MINUS",
    "Unit",
    "byte_size",
    "duration",
    "energy_unit",
    "instant",
    "quality_change",
    "quality_value",
    "ratio",
    "significant",
    "time_unit",
    "whole",
]

MINUS = "−"
_MOST_DECIMALS = 5
_SHARE = re.compile(r"top-[1-9][0-9]*")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that a whole table or plot uses; `size` is how much of the tables' unit it is (ns, mJ)."""

    name: str
    size: float

    def value(self, figure: float) -> str:
        """`figure` without its unit, three significant digits."""
        return significant(figure / self.size)

    def interval(self, figure: Interval) -> str:
        """Value and interval without the unit, e.g. ``1.23 [1.21, 1.25]``."""
        value, low, high = (
            None if part is None else part / self.size for part in (figure.value, figure.low, figure.high)
        )
        assert value is not None
        return _with_interval(Interval(value, low, high), _decimals(value, low, high))


def time_unit(times_ns: list[float]) -> Unit:
    """The unit in which the smallest of `times_ns` still shows its digits."""
    least = min(times_ns, default=1e6)
    if least < 1e5:
        return Unit("µs", 1e3)
    return Unit("ms", 1e6) if least < 1e9 else Unit("s", 1e9)


def energy_unit(energies_mj: list[float]) -> Unit:
    """The same of energies."""
    least = min(energies_mj, default=1.0)
    if least < 0.1:
        return Unit("µJ", 1e-3)
    return Unit("mJ", 1.0) if least < 1e3 else Unit("J", 1e3)


def significant(value: float, digits: int = 3) -> str:
    """`value` with that many significant digits, thousands separated, never in powers of ten."""
    if value == 0:
        return "0"
    decimals = max(0, min(9, digits - 1 - math.floor(math.log10(abs(value)))))
    return _fixed(value, decimals)


def whole(value: float) -> str:
    """A count with its thousands separated."""
    return _fixed(value, 0)


def ratio(interval: Interval) -> str:
    """E.g. ``0.43× [0.41, 0.45]``; where the interval excludes 1, none of its bounds reads as 1."""
    low, high = interval.low, interval.high
    decimals = max(2, _decimals(interval.value, low, high))
    if low is not None and high is not None and not low <= 1 <= high:
        while decimals < _MOST_DECIMALS and 1.0 in (round(low, decimals), round(high, decimals)):
            decimals += 1
    return _with_interval(interval, decimals, "×")


def byte_size(size_bytes: float) -> str:
    """In B, kB, MB or GB (powers of 1000) with three significant digits."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size_bytes >= factor:
            return f"{significant(size_bytes / factor)} {unit}"
    return f"{size_bytes:.0f} B"


def duration(seconds: float) -> str:
    """A time that people wait, in s, min or h."""
    if seconds < 100:
        return f"{significant(seconds, 2)} s"
    return f"{significant(seconds / 60, 2)} min" if seconds < 6000 else f"{significant(seconds / 3600, 2)} h"


def quality_value(metric: str, quality: Interval) -> str:
    """Value and interval; the share of right answers (top-k) in percent."""
    if _SHARE.fullmatch(metric):
        parts = (None if part is None else 100 * part for part in (quality.low, quality.high))
        percent = Interval(100 * quality.value, *parts)
        return _with_interval(percent, 1 if quality.low is not None else 2, " %")
    return _with_interval(quality, _decimals(quality.value, quality.low, quality.high))


def quality_change(metric: str, change: float, like: Interval) -> str:
    """A signed difference of two qualities, in percentage points for top-k, else with the digits of `like`."""
    if _SHARE.fullmatch(metric):
        points = abs(100 * change)
        return f"{_sign(change)}{_fixed(points, 1 if points >= 0.05 else 2)} points"
    # One digit more than the value, as a difference is smaller than what it is of.
    return f"{_sign(change)}{_fixed(abs(change), _decimals(like.value, like.low, like.high) + 1)}"


def instant(iso_8601: str) -> str:
    """An instant in UTC to the minute, e.g. ``2026-07-25 09:30 UTC``; what is none stays as it is, made visible."""
    try:
        moment = datetime.fromisoformat(iso_8601)
        in_utc = moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return shorten(iso_8601, 48)
    return in_utc.strftime("%Y-%m-%d %H:%M UTC")


def _sign(value: float) -> str:
    return MINUS if value < 0 else "+" if value > 0 else "±"


def _decimals(value: float, low: float | None, high: float | None) -> int:
    """Digits after the point: the half-width of the interval keeps one or two, without one the value keeps three."""
    if low is not None and high is not None and high > low:
        wanted = -math.floor(math.log10((high - low) / 2))
    else:
        wanted = 2 - math.floor(math.log10(abs(value))) if value else 0
    most = 4 - math.floor(math.log10(abs(value))) if value else 6
    return max(0, min(wanted, most, 9))


def _with_interval(interval: Interval, decimals: int, unit: str = "") -> str:
    value = f"{_fixed(interval.value, decimals)}{unit}"
    if interval.low is None or interval.high is None:
        return value
    return f"{value} [{_fixed(interval.low, decimals)}, {_fixed(interval.high, decimals)}]"


def _fixed(value: float, decimals: int) -> str:
    return f"{value:,.{decimals}f}".replace("-", MINUS)
