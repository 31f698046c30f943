"""How fast the kernel lets each group of cores run (admin-guide/pm/cpufreq.rst, scaling_cur_freq, in kHz).

On a Raspberry Pi it is what was asked for, and stays while the firmware throttles (raspberrypi/linux issues 2986 and
5874): vcgencmd.py asks the firmware.
"""

from __future__ import annotations

from pocketbench.harness.sensors.integers import integer_parser
from pocketbench.harness.sensors.listing import Listing
from pocketbench.harness.sensors.spec import Discovered, PathNode, SensorSpec

__all__ = ["PATTERNS", "PROGRAMS", "discover"]

_POLICIES = "/sys/devices/system/cpu/cpufreq/policy*/scaling_cur_freq"
# Kernels before 4.3 have no policy folders (commit 96bdda61f58b).
_CORES = "/sys/devices/system/cpu/cpu*/cpufreq/scaling_cur_freq"
PATTERNS: tuple[str, ...] = (_POLICIES, _CORES)
PROGRAMS: tuple[str, ...] = ()
# A governor decides every few milliseconds to tenths of seconds; a step that throttling takes lasts longer than 100 ms.
_RATE_HZ = 10.0


# 1800000
def discover(listing: Listing) -> Discovered:
    """One node for each policy, named after it: `policy0`."""
    paths = listing.readable(_POLICIES) or listing.readable(_CORES)
    if not paths:
        return Discovered.nothing("cpu-frequency", listing.why_not(_POLICIES))
    nodes = tuple(PathNode(path, integer_parser("frequency_khz", _owner(path))) for path in paths)
    return Discovered((SensorSpec("cpu-frequency", _RATE_HZ, nodes),))


def _owner(path: str) -> str:
    parts = path.split("/")
    return parts[-2] if parts[-2] != "cpufreq" else parts[-3]
