"""Power out of a phone's battery from the raw numbers of its gauge.

Seen in public reports: discharging is +1194458 on a Mi A3 and -342812 on a Pixel 6a; a Huawei P8 Lite 2017 and Galaxy
S21 give mA for µA; voltages come in mV too. So the sign is taken from whether the battery is discharging, and the unit
from the size. While it charges, its current says nothing about the work.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pocketbench.harness.sensors.energy import Window
from pocketbench.harness.sensors.traces import Trace

__all__ = ["GaugeScale", "charging_reason", "find_scale", "find_voltage_unit", "gauge_power", "register_updates"]

# 10 mA in µA and 10 A in mA: a phone that infers needs more than the one and less than the other.
_SMALLEST_UA = 10_000
# Nothing that runs on a phone's battery takes more for long.
_MOST_W = 20.0
# One cell, or two in a row.
_CELLS_UV = (2_000_000, 10_000_000)
# The slowest published gauge: 0.28 updates a second.
_SLOWEST_UPDATE_NS = 3.6e9
_ENOUGH_CHANGES = 10
# While discharging, a gauge of one sign keeps to it; the rest is noise around 0.
_ONE_SIGN_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class GaugeScale:
    """µA and µV for one step of the raw numbers; `discharging_sign` is that of the current while it discharges."""

    current_ua: int
    voltage_uv: int
    discharging_sign: int


def find_scale(current: Trace, voltage: Trace) -> GaugeScale | str:
    """From traces of a whole campaign while the battery discharges; or why it cannot be told."""
    if len(current) == 0 or len(voltage) == 0:
        empty = current if len(current) == 0 else voltage
        return empty.reason or f"no reading of {empty.quantity}"
    signs = np.sign(current.values)
    sign = 1 if np.count_nonzero(signs > 0) >= np.count_nonzero(signs < 0) else -1
    moving = np.count_nonzero(signs)
    if moving == 0:
        return "the gauge gives a current of 0 all the time"
    if np.count_nonzero(signs == sign) < _ONE_SIGN_SHARE * moving:
        return "the gauge's current changes its sign while the battery discharges"
    size = float(np.median(np.abs(current.values)))
    current_ua = 1000 if size < _SMALLEST_UA else 1
    middle = float(np.median(voltage.values))
    voltage_uv = find_voltage_unit(voltage)
    if voltage_uv is None:
        return f"the gauge's voltage of {middle:g} is no battery's, in µV or mV"
    watts = size * current_ua * middle * voltage_uv * 1e-12
    if watts > _MOST_W:
        return f"the gauge's {size:g} and {middle:g} would be {watts:.0f} W: its unit is not known"
    return GaugeScale(current_ua, voltage_uv, sign)


def find_voltage_unit(voltage: Trace) -> int | None:
    """µV for one step of the raw numbers; None where they are no battery's."""
    middle = float(np.median(voltage.values)) if len(voltage) else 0.0
    return next((unit for unit in (1, 1000) if _CELLS_UV[0] < middle * unit < _CELLS_UV[1]), None)


def charging_reason(plugged: Trace | None, discharging: Trace | None, window: Window) -> str | None:
    """Why the battery's current is not the device's in this window; None where it is."""
    if plugged is not None and np.any(_around(plugged, window) > 0):
        return "it was plugged in: connect it by wireless debugging, unplug it, and measure again"
    flags = [_around(trace, window) for trace in (plugged, discharging) if trace is not None]
    if not sum(len(values) for values in flags):
        return "nothing says whether the battery was charging"
    if discharging is not None and np.any(_around(discharging, window) == 0):
        return "the battery was not discharging"
    return None


def gauge_power(current: Trace, voltage: Trace, scale: GaugeScale) -> Trace:
    """`power_uw` out of the battery, positive while it discharges, at the times of the current's readings."""
    volts = np.interp(current.times_ns, voltage.times_ns, voltage.values) * scale.voltage_uv * 1e-6
    microamperes = current.values * scale.current_ua * scale.discharging_sign
    return replace(current, quantity="power_uw", values=microamperes * volts)


def register_updates(current: Trace) -> NDArray[np.bool_]:
    """Marks readings in which the gauge had something new; the others repeat an old current, and would make it late.

    A change is new. Where the same current stands for several of the register's periods, so is one reading in each: a
    steady current in coarse steps is the same over and over, and is not one reading.
    """
    times_ns = current.times_ns
    new = np.ones(len(current), dtype=np.bool_)
    new[1:] = np.diff(current.values) != 0
    starts_ns = [int(time_ns) for time_ns in times_ns[new]]
    period_ns = _register_period_ns(np.diff(times_ns[new]))
    for start_ns, end_ns in itertools.pairwise([*starts_ns, int(times_ns[-1])]):
        for step in range(1, round((end_ns - start_ns) / period_ns)):
            new[np.searchsorted(times_ns, start_ns + step * period_ns)] = True
    return new


def _register_period_ns(between_changes_ns: NDArray[np.int64]) -> float:
    """The shortest usual time between two changes, which a steady current does not show."""
    if len(between_changes_ns) < _ENOUGH_CHANGES:
        return _SLOWEST_UPDATE_NS
    short_ns = np.percentile(between_changes_ns, 10)
    return min(_SLOWEST_UPDATE_NS, float(between_changes_ns[between_changes_ns < 1.5 * short_ns].mean()))


def _around(trace: Trace, window: Window) -> NDArray[np.float64]:
    """Values in the window, the last one before it and the first one after."""
    first = max(0, int(np.searchsorted(trace.times_ns, window.start_ns, side="right")) - 1)
    last = int(np.searchsorted(trace.times_ns, window.end_ns, side="left")) + 1
    return trace.values[first:last]
