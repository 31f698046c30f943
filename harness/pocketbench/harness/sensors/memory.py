"""How much memory the device has left, over time (proc_meminfo(5)); meminfo.py reads it once."""

from __future__ import annotations

from pocketbench.harness.sensors.listing import Listing
from pocketbench.harness.sensors.meminfo import parse_meminfo
from pocketbench.harness.sensors.readings import Reading, known, shown, unknown
from pocketbench.harness.sensors.spec import Discovered, PathNode, SensorSpec

__all__ = ["PATTERNS", "PROGRAMS", "discover", "parse"]

_MEMINFO = "/proc/meminfo"
PATTERNS: tuple[str, ...] = (_MEMINFO,)
PROGRAMS: tuple[str, ...] = ()
_RATE_HZ = 1.0


# MemTotal:        8256856 kB
def parse(data: bytes) -> tuple[Reading, ...]:
    """What programs can get without swapping, and what is swapped out."""
    memory = parse_meminfo(data.decode("ascii", errors="replace"))
    figures = (("available", memory.available_bytes), ("swap used", memory.swap_used_bytes))
    return tuple(
        unknown("memory_bytes", name, f"expected a line for it in {_MEMINFO}, got {shown(data)}")
        if value is None
        else known("memory_bytes", name, value)
        for name, value in figures
    )


def discover(listing: Listing) -> Discovered:
    """Every Linux has it."""
    if _MEMINFO not in listing.files:
        return Discovered.nothing("memory", listing.why_not(_MEMINFO))
    return Discovered((SensorSpec("memory", _RATE_HZ, (PathNode(_MEMINFO, parse),)),))
