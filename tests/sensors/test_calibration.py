"""A board's own sensor against an external meter."""

from __future__ import annotations

from datetime import date

import pytest

from pocketbench.harness.sensors.calibration import Calibration, fit_calibration
from pocketbench.harness.sensors.energy import WindowEnergy

DAY = date(2026, 11, 25)
# One public tool's line for a Raspberry Pi 5: W = 1.1451 x + 0.5879.
LEVELS = [(watts, 1.1451 * watts + 0.5879) for watts in (1.6, 2.4, 3.5, 4.6, 5.8, 7.2)]


def test_the_line_is_found():
    found = fit_calibration("raspberry-pi-pmic", "wall", DAY, LEVELS)

    assert isinstance(found, Calibration)
    assert found.slope == pytest.approx(1.1451)
    assert found.offset_w == pytest.approx(0.5879)
    assert found.residual_w == pytest.approx(0, abs=1e-9)
    assert (found.lowest_w, found.highest_w, found.made_on, found.boundary) == (1.6, 7.2, DAY, "wall")


def test_scatter_is_stated():
    noisy = [(ours, theirs + (0.05 if index % 2 else -0.05)) for index, (ours, theirs) in enumerate(LEVELS)]

    found = fit_calibration("raspberry-pi-pmic", "wall", DAY, noisy)

    assert isinstance(found, Calibration)
    assert 0.03 < found.residual_w < 0.08


def test_energy_is_corrected_and_marked_beyond_the_levels():
    found = fit_calibration("raspberry-pi-pmic", "wall", DAY, LEVELS)
    assert isinstance(found, Calibration)

    inside = found.corrected(WindowEnergy(40.0, 10.0, updates=100))
    beyond = found.corrected(WindowEnergy(90.0, 10.0, updates=100))

    assert inside.energy_j == pytest.approx(1.1451 * 40 + 5.879)
    assert inside.flags == ()
    assert beyond.flags == ("beyond-calibration",)
    unknown = WindowEnergy(None, 10.0, reason="a gap")
    assert found.corrected(unknown) == unknown


@pytest.mark.parametrize(
    ("levels", "reason"),
    [
        (LEVELS[:5], "expected 6 load levels, got 5"),
        ([(3.0 + 0.01 * i, 4.0) for i in range(6)], "load more cores, and idle"),
        ([(ours, 3 * ours) for ours, _ in LEVELS], "is it wired to the same board"),
        ([(ours, -theirs) for ours, theirs in LEVELS], "above 0 W"),
        ([(ours, float("nan")) for ours, _ in LEVELS], "above 0 W"),
        ([*LEVELS[:5], (7.2, 6.5)], "on no line"),
    ],
)
def test_levels_that_make_no_line(levels, reason):
    found = fit_calibration("raspberry-pi-pmic", "wall", DAY, levels)

    assert isinstance(found, str)
    assert reason in found
