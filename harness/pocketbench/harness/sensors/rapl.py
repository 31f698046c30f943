"""Energy counters of x86 processors (Documentation/power/powercap/powercap.rst; AMD's have the same name).

`energy_uj` begins at 0 again after `max_energy_range_uj`. Since Linux 5.10 only root may read it (CVE-2020-8694).
"""

from __future__ import annotations

from pocketbench.harness.sensors.integers import integer_parser, parse_integer
from pocketbench.harness.sensors.listing import Listing
from pocketbench.harness.sensors.spec import Discovered, PathNode, SensorSpec

__all__ = ["PATTERNS", "PROGRAMS", "discover"]

_FOLDER = "/sys/class/powercap/intel-rapl:*"
_ENERGY, _RANGE, _NAME = "energy_uj", "max_energy_range_uj", "name"
PATTERNS: tuple[str, ...] = tuple(f"{_FOLDER}/{file}" for file in (_ENERGY, _RANGE, _NAME))
PROGRAMS: tuple[str, ...] = ()
# The counter itself is updated about every millisecond; only its value at the edges counts.
_RATE_HZ = 10.0


# name package-0, energy_uj 193128391, max_energy_range_uj 262143328850
def discover(listing: Listing) -> Discovered:
    """`package-0/core` for a zone inside another.

    The total is the packages and their DRAM: cores and uncore are in their package, and psys holds everything.
    """
    paths = listing.readable(f"{_FOLDER}/{_ENERGY}")
    if not paths:
        return Discovered.nothing("rapl", listing.why_not(f"{_FOLDER}/{_ENERGY}"))
    nodes: list[PathNode] = []
    total: list[str] = []
    for path in paths:
        folder = path.rpartition("/")[0]
        wraps_at = parse_integer(listing.files.get(f"{folder}/{_RANGE}", b""))
        source = _source(listing, folder)
        if wraps_at is None or wraps_at <= 0:
            continue
        nodes.append(PathNode(path, integer_parser("energy_uj", source), wraps_at))
        if source.startswith("package") and source.split("/")[1:] in ([], ["dram"]):
            total.append(source)
    if not total:
        return Discovered.nothing("rapl", f"no package under {_FOLDER} with {_RANGE}")
    return Discovered((SensorSpec("rapl", _RATE_HZ, tuple(nodes), "rails", tuple(total)),))


def _source(listing: Listing, folder: str) -> str:
    """intel-rapl:0:2 lies in intel-rapl:0."""
    parent = folder.rpartition(":")[0]
    own = listing.text(f"{folder}/{_NAME}") or folder.rpartition("/")[2]
    outer = listing.text(f"{parent}/{_NAME}") if parent.count(":") == 1 else None
    return f"{outer}/{own}" if outer else own
