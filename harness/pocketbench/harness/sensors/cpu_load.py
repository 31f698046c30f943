"""How much of the cores' time was work, and how long the queue is (proc_stat(5), proc_loadavg(5))."""

from __future__ import annotations

from pocketbench.harness.devices.parsers import parse_loadavg
from pocketbench.harness.sensors.cpu_time import parse_cpu_times
from pocketbench.harness.sensors.listing import Listing
from pocketbench.harness.sensors.readings import Reading, known, shown, unknown
from pocketbench.harness.sensors.spec import Discovered, PathNode, SensorSpec

__all__ = ["PATTERNS", "PROGRAMS", "discover", "parse_load_average", "parse_stat"]

_STAT = "/proc/stat"
_LOADAVG = "/proc/loadavg"
PATTERNS: tuple[str, ...] = (_STAT, _LOADAVG)
PROGRAMS: tuple[str, ...] = ()
# Ticks of 10 ms: in a second there are a hundred of them on each core. The average is updated every 5 s.
_RATE_HZ = 1.0
_AVERAGE_RATE_HZ = 0.2


def parse_stat(data: bytes) -> tuple[Reading, ...]:
    """Busy and total ticks of all cores (`cpu`) and of each (`cpu0`)."""
    times = parse_cpu_times(data.decode("ascii", errors="replace"))
    if not times:
        return (unknown("cpu_total_ticks", "cpu", f"expected the cpu lines of {_STAT}, got {shown(data)}"),)
    return tuple(
        reading
        for name, time in times.items()
        for reading in (known("cpu_busy_ticks", name, time.busy), known("cpu_total_ticks", name, time.total))
    )


def parse_load_average(data: bytes) -> tuple[Reading, ...]:
    """That of the last minute."""
    average = parse_loadavg(data.decode("ascii", errors="replace"))
    if average is None:
        return (unknown("load_average", "1 min", f"expected five fields, got {shown(data)}"),)
    return (known("load_average", "1 min", average),)


def discover(listing: Listing) -> Discovered:
    """Android hides /proc/loadavg from some shells, and never /proc/stat from adb's."""
    parts = [
        Discovered((SensorSpec(name, rate_hz, (PathNode(path, parse),)),))
        if path in listing.files
        else Discovered.nothing(name, listing.why_not(path))
        for name, path, rate_hz, parse in (
            ("cpu-load", _STAT, _RATE_HZ, parse_stat),
            ("load-average", _LOADAVG, _AVERAGE_RATE_HZ, parse_load_average),
        )
    ]
    return Discovered.all_of(parts)
