"""The energy of a stretch of time: from samples of power by trapezoids, or from a counter by its difference.

All rules that make a window invalid stand here. An invalid window has no energy and a reason; nothing is patched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketbench.harness.sensors.traces import Trace

__all__ = [
    "ENOUGH_UPDATES",
    "MAX_GAP_PERIODS",
    "Window",
    "WindowEnergy",
    "counter_energy",
    "power_energy",
    "sum_of",
]

# A sampler that was late by more hides a whole inference; up to here the straight line between two samples stands.
MAX_GAP_PERIODS = 3
# A window's edges are uncertain by up to one update each: with a hundred updates that is at most one or two percent of
# the *difference* between the power inside and outside.
ENOUGH_UPDATES = 100
# A counter that is read less often may have wrapped twice unseen: the smallest ranges in use, 65 kJ of old servers, are
# used up in a minute at 1.1 kW.
_MAX_WRAPPING_GAP_NS = 60 * 10**9
_MICRO = 1e-6
_NANO = 1e-9


@dataclass(frozen=True, slots=True)
class Window:
    """From `start_ns` to `end_ns` of the device's monotonic clock."""

    start_ns: int
    end_ns: int

    def __post_init__(self) -> None:
        if self.end_ns <= self.start_ns:
            raise ValueError(f"expected a window that ends after it starts, got {self.start_ns} to {self.end_ns}")

    @property
    def duration_s(self) -> float:
        """How long it is."""
        return (self.end_ns - self.start_ns) * _NANO


@dataclass(frozen=True, slots=True)
class WindowEnergy:
    """What was metered in a window. `energy_j` is None where it is not known, and then `reason` says why.

    `updates` is how often the sensor gave something new. Of `flags`, `few-updates` says that there were fewer than a
    hundred, so that the edges count for more than a percent or two.
    """

    energy_j: float | None
    duration_s: float
    updates: int = 0
    reason: str | None = None
    flags: tuple[str, ...] = ()

    @property
    def power_w(self) -> float | None:
        """The mean over the window."""
        return None if self.energy_j is None else self.energy_j / self.duration_s


def power_energy(trace: Trace, window: Window, *, keep: NDArray[np.bool_] | None = None) -> WindowEnergy:
    """Integrate `power_uw` over the window, with straight lines between samples and at the edges.

    `keep` marks the samples that count, of a sensor that is read more often than it has something new; the last one
    always does. Gaps are those between all readings.
    """
    problem = _uncovered(trace, window) or _gap(trace, window)
    if problem:
        return WindowEnergy(None, window.duration_s, reason=problem)
    times_s, watts = _points(trace, window, keep)
    duration_s = window.duration_s
    inside = (times_s > 0) & (times_s < duration_s)
    first, last = np.interp([0.0, duration_s], times_s, watts)
    grid = np.concatenate(([0.0], times_s[inside], [duration_s]))
    power = np.concatenate(([first], watts[inside], [last]))
    return _measured(float(np.trapezoid(power, grid)), window, int(np.count_nonzero(inside)))


def counter_energy(trace: Trace, window: Window) -> WindowEnergy:
    """The difference of `energy_uj` between the edges, each between the two readings around it.

    Counters lose nothing, so gaps inside do not matter; at the edges they do. Where the sensor has a clock of its own,
    its readings are at that clock's times, moved by the least delay that was seen between it and a reading.
    """
    problem = _uncovered(trace, window)
    if problem:
        return WindowEnergy(None, window.duration_s, reason=problem)
    times_ns = _counter_times_ns(trace)
    joules = _unwrapped(trace, times_ns)
    if isinstance(joules, str):
        return WindowEnergy(None, window.duration_s, reason=joules)
    if times_ns[0] > window.start_ns or times_ns[-1] < window.end_ns:
        return WindowEnergy(None, window.duration_s, reason="the counters do not reach the window's edges")
    for edge_ns in (window.start_ns, window.end_ns):
        after = max(1, int(np.searchsorted(times_ns, edge_ns, side="left")))
        gap_ns = int(times_ns[after] - times_ns[after - 1])
        if times_ns[after] != edge_ns and gap_ns > MAX_GAP_PERIODS * trace.period_ns:
            return WindowEnergy(None, window.duration_s, reason=_gap_text(gap_ns, trace, "at an edge"))
    edges = np.interp([0.0, window.duration_s], (times_ns - window.start_ns) * _NANO, joules)
    inside = (times_ns > window.start_ns) & (times_ns < window.end_ns)
    return _measured(float(edges[1] - edges[0]), window, int(np.count_nonzero(inside)))


def sum_of(parts: Sequence[WindowEnergy], window: Window) -> WindowEnergy:
    """Of rails: known only where each is. The flags are those of any."""
    unknown = next((part for part in parts if part.energy_j is None), None)
    if unknown is not None or not parts:
        return WindowEnergy(None, window.duration_s, reason=unknown.reason if unknown else "nothing is metered")
    return WindowEnergy(
        sum(part.energy_j for part in parts if part.energy_j is not None),
        window.duration_s,
        updates=min(part.updates for part in parts),
        flags=tuple(sorted({flag for part in parts for flag in part.flags})),
    )


def _measured(energy_j: float, window: Window, updates: int) -> WindowEnergy:
    flags = () if updates >= ENOUGH_UPDATES else ("few-updates",)
    return WindowEnergy(energy_j, window.duration_s, updates=updates, flags=flags)


def _uncovered(trace: Trace, window: Window) -> str | None:
    if len(trace) == 0:
        return trace.reason or f"no reading of {trace.source}"
    early_s = (int(trace.times_ns[0]) - window.start_ns) * _NANO
    late_s = (window.end_ns - int(trace.times_ns[-1])) * _NANO
    if early_s > 0:
        return f"readings of {trace.source} begin {early_s:.3g} s after the window"
    if late_s > 0:
        return f"readings of {trace.source} end {late_s:.3g} s before the window"
    return None


def _gap(trace: Trace, window: Window) -> str | None:
    """Of all pairs of neighbours that touch the window."""
    first = int(np.searchsorted(trace.times_ns, window.start_ns, side="right")) - 1
    last = int(np.searchsorted(trace.times_ns, window.end_ns, side="left"))
    gaps = np.diff(trace.times_ns[first : last + 1])
    longest = int(gaps.max()) if len(gaps) else 0
    return _gap_text(longest, trace, "inside") if longest > MAX_GAP_PERIODS * trace.period_ns else None


def _gap_text(gap_ns: int, trace: Trace, where: str) -> str:
    missing = f" ({trace.reason})" if trace.reason else ""
    return (
        f"a gap of {gap_ns * _NANO:.3g} s {where}, where {trace.source} is read every {trace.period_ns * _NANO:.3g} s"
        f"{missing}"
    )


def _points(
    trace: Trace, window: Window, keep: NDArray[np.bool_] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds from the window's start, and watts."""
    counts = np.ones(len(trace), dtype=np.bool_) if keep is None else keep.copy()
    counts[-1] = True
    times_s = np.asarray((trace.times_ns[counts] - window.start_ns) * _NANO, dtype=np.float64)
    return times_s, trace.values[counts] * _MICRO


def _counter_times_ns(trace: Trace) -> NDArray[np.int64]:
    if trace.clock_ms is None:
        return trace.times_ns
    own_ns = trace.clock_ms * 1_000_000
    return np.asarray(own_ns + int((trace.times_ns - own_ns).min()), dtype=np.int64)


def _unwrapped(trace: Trace, times_ns: NDArray[np.int64]) -> NDArray[np.float64] | str:
    """Joules since the first reading; or why not."""
    if np.any(np.diff(times_ns) < 0):
        return f"the clock of {trace.source} went back"
    steps = np.diff(trace.values)
    backwards = steps < 0
    if np.any(backwards) and trace.wraps_at is None:
        return f"the counter of {trace.source} went back: it was reset"
    if trace.wraps_at is not None:
        if np.any(np.diff(times_ns) > _MAX_WRAPPING_GAP_NS):
            return f"{trace.source} was not read for a minute: its counter may have begun again unseen"
        steps = np.where(backwards, steps + trace.wraps_at, steps)
    return np.concatenate(([0.0], np.cumsum(steps))) * _MICRO
