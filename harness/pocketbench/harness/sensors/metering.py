"""The energy of a window by one sensor of power, whatever it gives: power, current and voltage, a counter, a gauge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from pocketbench.harness.sensors.charge_energy import charge_energy
from pocketbench.harness.sensors.energy import Window, WindowEnergy, counter_energy, power_energy, sum_of
from pocketbench.harness.sensors.fuel_gauge import SOURCE
from pocketbench.harness.sensors.gauge_power import (
    GaugeScale,
    charging_reason,
    find_scale,
    find_voltage_unit,
    gauge_power,
    register_updates,
)
from pocketbench.harness.sensors.spec import SensorSpec
from pocketbench.harness.sensors.traces import Trace, TraceKey

__all__ = ["product", "window_energy"]

# Published gauges update their register as rarely as 0.28 times a second.
_GAUGE_WINDOW_S = 30.0
_SERVICE = "battery-service"


def window_energy(
    spec: SensorSpec, traces: Mapping[TraceKey, Trace], window: Window, *, scale: GaugeScale | None = None
) -> WindowEnergy:
    """What `spec` metered, over all sources of its total; its boundary is `spec.boundary`.

    `scale` is the user's word about a gauge whose unit or sign cannot be told.
    """
    if any(key[:2] == (spec.name, "current_raw") for key in traces):
        return _gauge_energy(spec, traces, window, scale)
    return sum_of([_source_energy(spec, source, traces, window) for source in spec.total], window)


def product(current: Trace, voltage: Trace) -> Trace:
    """`power_uw` of `current_ua` and `voltage_uv`, at the current's times; the voltage is taken between its own."""
    if len(current) == 0 or len(voltage) == 0:
        empty = current if len(current) == 0 else voltage
        return replace(empty, quantity="power_uw", reason=empty.reason or f"no reading of {empty.quantity}")
    volts = np.interp(current.times_ns, voltage.times_ns, voltage.values) * 1e-6
    return replace(current, quantity="power_uw", values=current.values * volts)


def _source_energy(spec: SensorSpec, source: str, traces: Mapping[TraceKey, Trace], window: Window) -> WindowEnergy:
    counter = traces.get((spec.name, "energy_uj", source))
    if counter is not None:
        return counter_energy(counter, window)
    power = traces.get((spec.name, "power_uw", source))
    current, voltage = (traces.get((spec.name, quantity, source)) for quantity in ("current_ua", "voltage_uv"))
    if power is None and current is not None and voltage is not None:
        power = product(current, voltage)
    if power is None:
        return WindowEnergy(None, window.duration_s, reason=f"no reading of {source}")
    return power_energy(power, window)


def _gauge_energy(
    spec: SensorSpec, traces: Mapping[TraceKey, Trace], window: Window, scale: GaugeScale | None
) -> WindowEnergy:
    def first(*keys: tuple[str, str]) -> Trace | None:
        """The first of those (spec, quantity) that has any reading."""
        found = (traces.get((name, quantity, SOURCE)) for name, quantity in keys)
        return next((trace for trace in found if trace is not None and len(trace)), None)

    plugged = first((_SERVICE, "plugged_flag"))
    discharging = first((spec.name, "discharging_flag"), (_SERVICE, "discharging_flag"))
    voltage = first((spec.name, "voltage_raw"), (_SERVICE, "voltage_uv"))
    refusal = charging_reason(plugged, discharging, window)
    if refusal is not None or voltage is None:
        return WindowEnergy(None, window.duration_s, reason=refusal or "no reading of the battery's voltage")
    current = traces[spec.name, "current_raw", SOURCE]
    found = scale or find_scale(current, voltage)
    if isinstance(found, str):
        charge = first((spec.name, "charge_uah"), (_SERVICE, "charge_uah"))
        unit_uv = find_voltage_unit(voltage)
        if charge is None or unit_uv is None:
            return WindowEnergy(None, window.duration_s, reason=found)
        energy = charge_energy(charge, replace(voltage, values=voltage.values * unit_uv), window)
        return energy if energy.reason is None else replace(energy, reason=f"{found}; {energy.reason}")
    energy = power_energy(gauge_power(current, voltage, found), window, keep=register_updates(current))
    short = ("short-window",) if window.duration_s < _GAUGE_WINDOW_S else ()
    return replace(energy, flags=(*energy.flags, *short))
