"""How often a PC's processor slowed down for heat (Documentation/ABI/testing/sysfs-devices-system-cpu)."""

from __future__ import annotations

from pocketbench.harness.sensors.integers import integer_parser
from pocketbench.harness.sensors.listing import Listing
from pocketbench.harness.sensors.spec import Discovered, PathNode, SensorSpec

__all__ = ["PATTERNS", "PROGRAMS", "discover"]

_COUNTS = "/sys/devices/system/cpu/cpu*/thermal_throttle/package_throttle_count"
PATTERNS: tuple[str, ...] = (_COUNTS,)
PROGRAMS: tuple[str, ...] = ()
_RATE_HZ = 1.0


# 0
def discover(listing: Listing) -> Discovered:
    """Every core shows the count of its package; x86 only."""
    paths = listing.readable(_COUNTS)
    if not paths:
        return Discovered.nothing("throttle-count", listing.why_not(_COUNTS))
    nodes = tuple(PathNode(path, integer_parser("throttle_count", path.split("/")[-3])) for path in paths)
    return Discovered((SensorSpec("throttle-count", _RATE_HZ, nodes),))
