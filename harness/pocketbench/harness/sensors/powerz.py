"""POWER-Z KM002C and KM003C USB meters through the kernel's driver (Documentation/hwmon/powerz.rst, Linux 6.7).

Each file that is read is a transfer over USB of at most 5 ms, and values are cut to mV and mA: 5 mW at 5 V.
"""

from __future__ import annotations

from pocketbench.harness.sensors.hwmon import HWMON_NAMES, chips, current_and_voltage
from pocketbench.harness.sensors.listing import Listing
from pocketbench.harness.sensors.spec import Discovered, SensorSpec

__all__ = ["PATTERNS", "PROGRAMS", "discover"]

_CURRENT, _VOLTAGE = "curr1_input", "in0_input"
PATTERNS: tuple[str, ...] = (HWMON_NAMES, f"/sys/class/hwmon/hwmon*/{_CURRENT}", f"/sys/class/hwmon/hwmon*/{_VOLTAGE}")
PROGRAMS: tuple[str, ...] = ()
_RATE_HZ = 20.0
_SOURCE = "VBUS"


# in0_input 5048 (mV, label VBUS), curr1_input -904 (mA, label IBUS, signed by the direction)
def discover(listing: Listing) -> Discovered:
    """On the computer that the meter's other cable leads to, which may be the device itself."""
    for chip in chips(listing, {"powerz"}):
        nodes = current_and_voltage(listing, chip, _CURRENT, _VOLTAGE, _SOURCE)
        if nodes:
            return Discovered((SensorSpec("powerz", _RATE_HZ, tuple(nodes), "board input", (_SOURCE,)),))
    return Discovered.nothing("powerz", "no hwmon chip powerz")
