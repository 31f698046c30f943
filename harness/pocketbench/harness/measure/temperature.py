"""Temperature before and during launches: the start line, and thermal steady state. Decisions only, no waiting.

Every launch of a campaign starts equally warm, so that no variant pays for the heat of the one before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "START_LINE_WAIT_S",
    "Reading",
    "StartDecision",
    "decide_start",
    "start_line",
    "steady_since",
]

# Well below where devices throttle (Raspberry Pi 80 °C) and, with the tolerance, below where the fan of a Raspberry
# Pi 5 stops again (45: its lowest step of 50 less 5 of hysteresis), so that the fan is off at the start of each launch.
_START_LINE_CELSIUS = 42.0
# A device that idles warmer starts this much above its idle temperature: the last degrees take the longest to lose.
_ABOVE_IDLE_CELSIUS = 5.0
# Many sensors show whole degrees; one that is off by one reading is not waited for.
_TOLERANCE_CELSIUS = 2.0
# What MLPerf Mobile waits between runs, whatever the temperature.
START_LINE_WAIT_S = 300.0
# The least that sensors of whole degrees can show, over a time in which bodies of a phone's size cool visibly.
_STEADY_CELSIUS = 1.0
_STEADY_S = 60.0
# A prediction of cooling needs a stretch in which a sensor takes several of its steps.
_TREND_S = 60.0
_SENSOR_STEP_CELSIUS = 1.0


@dataclass(frozen=True, slots=True)
class Reading:
    """`time_s` on any clock that does not jump."""

    time_s: float
    celsius: float


@dataclass(frozen=True, slots=True)
class StartDecision:
    """`go`, `wait` and ask again, or `give up` and launch all the same. `flag` is what the launch is marked with.

    `hot_start`: warmer than the start line. `cool_start`: colder than it, which is waited for by nobody: the first
    launches warm the device. `no_temperature`: the device cannot say.
    """

    action: Literal["go", "wait", "give up"]
    flag: Literal["hot_start", "cool_start", "no_temperature"] | None = None


def start_line(idle_celsius: float | None) -> float:
    """The start line of a device in °C from its temperature before the campaign, once for all launches."""
    return max(_START_LINE_CELSIUS, (idle_celsius or 0.0) + _ABOVE_IDLE_CELSIUS)


def decide_start(
    readings: Sequence[Reading], *, start_celsius: float, wait_s: float = START_LINE_WAIT_S
) -> StartDecision:
    """Decide from all readings since the wait began, oldest first; `start_celsius` is what start_line said.

    Given up is also a wait that cannot succeed: a body cools ever more slowly, so what the present rate does not reach
    in the time that is left will not be reached.
    """
    if not readings:
        return StartDecision("go", "no_temperature")
    now = readings[-1]
    excess = now.celsius - (start_celsius + _TOLERANCE_CELSIUS)
    if excess <= 0:
        return StartDecision("go", "cool_start" if now.celsius < start_celsius - _TOLERANCE_CELSIUS else None)
    left_s = wait_s - (now.time_s - readings[0].time_s)
    if left_s <= 0 or _most_cooling(readings, left_s) < excess:
        return StartDecision("give up", "hot_start")
    return StartDecision("wait")


def steady_since(readings: Sequence[Reading]) -> float | None:
    """Time of the first reading at which temperature had stayed within 1 °C for 60 s; None where it never had.

    Sustained latency is measured from there on. Without a sensor there is no such time: None too.
    """
    first = 0
    for last, reading in enumerate(readings):
        while first < last and readings[first + 1].time_s <= reading.time_s - _STEADY_S:
            first += 1
        window = [other.celsius for other in readings[first : last + 1]]
        if reading.time_s - readings[first].time_s >= _STEADY_S and max(window) - min(window) < _STEADY_CELSIUS:
            return reading.time_s
    return None


def _most_cooling(readings: Sequence[Reading], left_s: float) -> float:
    """Degrees that the device can still lose, at the rate of the last minute and a sensor's step on top."""
    now = readings[-1]
    before = [reading for reading in readings if reading.time_s <= now.time_s - _TREND_S]
    if not before:
        return float("inf")
    fall = before[-1].celsius - now.celsius + _SENSOR_STEP_CELSIUS
    return fall * left_s / (now.time_s - before[-1].time_s)
