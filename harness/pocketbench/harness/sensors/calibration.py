"""What a board's own sensor must be corrected by, from load levels that an external meter saw too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from pocketbench.harness.sensors.energy import WindowEnergy
from pocketbench.harness.sensors.spec import Boundary

__all__ = ["LEVELS", "Calibration", "fit_calibration"]

# Six levels leave four degrees of freedom to see whether a line fits at all.
LEVELS = 6
# Between the least and the greatest level, so that the slope is not the noise's.
_LEAST_RATIO = 1.5
# A power supply loses up to a third; what is farther from 1 is a wrong shunt or a mixed-up unit.
_SLOPES = (0.5, 2.0)
# Farther from the line than this at any level: the two do not meter the same thing.
_MOST_RESIDUAL = 0.05


@dataclass(frozen=True, slots=True)
class Calibration:
    """Power at `boundary` is `slope` times that of the sensor plus `offset_w`.

    It was fitted from `lowest_w` to `highest_w` of the sensor; `residual_w` is the standard deviation around the line.
    One public tool's line for a Raspberry Pi 5, PMIC to wall, is 1.1451 and 0.5879 W: one board's, not every board's.
    """

    sensor: str
    boundary: Boundary
    made_on: date
    slope: float
    offset_w: float
    residual_w: float
    lowest_w: float
    highest_w: float

    def corrected(self, energy: WindowEnergy) -> WindowEnergy:
        """The energy at the calibration's boundary; `beyond-calibration` marks power outside its levels."""
        if energy.energy_j is None or energy.power_w is None:
            return energy
        outside = not self.lowest_w <= energy.power_w <= self.highest_w
        return replace(
            energy,
            energy_j=self.slope * energy.energy_j + self.offset_w * energy.duration_s,
            flags=(*energy.flags, *(("beyond-calibration",) if outside else ())),
        )


def fit_calibration(
    sensor: str, boundary: Boundary, made_on: date, levels: Sequence[tuple[float, float]]
) -> Calibration | str:
    """Least squares over (sensor's watts, meter's watts) at each level; or why there is no line."""
    if len(levels) < LEVELS:
        return f"expected {LEVELS} load levels, got {len(levels)}"
    ours, theirs = np.array(levels, dtype=np.float64).T
    if not np.all(np.isfinite(ours) & np.isfinite(theirs) & (ours > 0) & (theirs > 0)):
        return "expected powers above 0 W at every level"
    if ours.max() < _LEAST_RATIO * ours.min():
        return f"the levels lie between {ours.min():.2f} and {ours.max():.2f} W: load more cores, and idle"
    slope, offset_w = (float(value) for value in np.polyfit(ours, theirs, 1))
    residuals = theirs - (slope * ours + offset_w)
    if not _SLOPES[0] <= slope <= _SLOPES[1]:
        return f"the meter sees {slope:.2f} times the sensor's changes: is it wired to the same board?"
    if np.any(np.abs(residuals) > _MOST_RESIDUAL * theirs):
        return "the levels lie on no line, 5 % or more beside it: was something else drawing power?"
    spread_w = float(np.sqrt(np.sum(residuals**2) / (len(levels) - 2)))
    return Calibration(sensor, boundary, made_on, slope, offset_w, spread_w, float(ours.min()), float(ours.max()))
