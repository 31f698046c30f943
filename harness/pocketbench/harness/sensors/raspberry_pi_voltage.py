"""Whether the kernel of a Raspberry Pi reports under-voltage now (Documentation/hwmon/raspberrypi.rst).

It is one bit of `vcgencmd get_throttled`, for those who may not ask the firmware.
"""

from __future__ import annotations

from pocketbench.harness.sensors.hwmon import HWMON_NAMES, chips
from pocketbench.harness.sensors.integers import integer_parser
from pocketbench.harness.sensors.listing import Listing
from pocketbench.harness.sensors.spec import Discovered, PathNode, SensorSpec

__all__ = ["PATTERNS", "PROGRAMS", "discover"]

_ALARM = "in0_lcrit_alarm"
PATTERNS: tuple[str, ...] = (HWMON_NAMES, f"/sys/class/hwmon/hwmon*/{_ALARM}")
PROGRAMS: tuple[str, ...] = ()
# The driver asks the firmware every 2 s.
_RATE_HZ = 0.5


# 0
def discover(listing: Listing) -> Discovered:
    """The chip is called rpi_volt."""
    paths = [chip.path(_ALARM) for chip in chips(listing, {"rpi_volt"}) if chip.path(_ALARM) in listing.files]
    if not paths:
        return Discovered.nothing("under-voltage", "no hwmon chip rpi_volt")
    node = PathNode(paths[0], integer_parser("under_voltage_flag", "kernel"))
    return Discovered((SensorSpec("under-voltage", _RATE_HZ, (node,)),))
