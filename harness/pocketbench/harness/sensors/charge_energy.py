"""Energy out of a battery from its charge counter, where its current cannot be used: coarse, and better than nothing.

The counter of a phone steps by about a milliampere-hour, which is 14 J: a window must hold many steps.
"""

from __future__ import annotations

import numpy as np

from pocketbench.harness.sensors.energy import Window, WindowEnergy
from pocketbench.harness.sensors.traces import Trace

__all__ = ["FROM_CHARGE", "charge_energy"]

FROM_CHARGE = "from-charge-counter"
# Each edge is uncertain by a part of a step.
_FEWEST_STEPS = 20
_COULOMB_PER_UAH = 3.6e-3


def charge_energy(charge: Trace, voltage: Trace, window: Window) -> WindowEnergy:
    """Integrate the voltage (`voltage_uv`) over the charge that left (`charge_uah`), from step to step.

    Marked `from-charge-counter`. None where the counter stepped too rarely, or up.
    """
    if len(charge) == 0 or len(voltage) == 0:
        return WindowEnergy(None, window.duration_s, reason="no reading of the battery's charge and voltage")
    stepped = np.diff(charge.values) != 0
    times_ns, charges = charge.times_ns[1:][stepped], charge.values[1:][stepped]
    inside = (times_ns > window.start_ns) & (times_ns < window.end_ns)
    steps = int(np.count_nonzero(inside))
    if steps < _FEWEST_STEPS or times_ns[0] > window.start_ns or times_ns[-1] < window.end_ns:
        reason = f"the charge counter stepped {steps} times: measure for longer, {_FEWEST_STEPS} and one on each side"
        return WindowEnergy(None, window.duration_s, reason=reason)
    grid_ns = np.concatenate(([window.start_ns], times_ns[inside], [window.end_ns]))
    coulombs = np.interp(grid_ns, times_ns, charges) * _COULOMB_PER_UAH
    if np.any(np.diff(coulombs) > 0):
        return WindowEnergy(None, window.duration_s, reason="the charge counter went up: something charged the battery")
    volts = np.interp(grid_ns, voltage.times_ns, voltage.values) * 1e-6
    energy_j = -float(np.trapezoid(volts, coulombs))
    return WindowEnergy(energy_j, window.duration_s, updates=steps, flags=(FROM_CHARGE,))
