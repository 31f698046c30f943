"""How long each group of cores spent at each frequency (Documentation/cpu-freq/cpufreq-stats.rst)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pocketbench.harness.sensors.integers import integer_parser
from pocketbench.harness.sensors.listing import Listing
from pocketbench.harness.sensors.readings import Parser, Reading, known, shown, unknown
from pocketbench.harness.sensors.spec import Discovered, PathNode, SensorSpec

__all__ = ["PATTERNS", "PROGRAMS", "discover", "parse_time_in_state", "residency_share"]

_TIMES = "/sys/devices/system/cpu/cpufreq/policy*/stats/time_in_state"
_TRANSITIONS = "/sys/devices/system/cpu/cpufreq/policy*/stats/total_trans"
PATTERNS: tuple[str, ...] = (_TIMES, _TRANSITIONS)
PROGRAMS: tuple[str, ...] = ()
# Counters lose nothing between two readings; one a second shows when in a launch it was slow.
_RATE_HZ = 1.0
_UNIT_MS = 10  # user-space ticks of 1/100 s
_STATES = 200
# At least so close to the expected frequency counts as running at it: steps of a table are farther apart.
_NEAR = 0.95


# 600000 1234
# 1800000 56
def parse_time_in_state(data: bytes) -> dict[int, int] | None:
    """Milliseconds by kHz; None where any line is something else, since half a table has wrong shares."""
    lines = data.split(b"\n")
    if lines.pop() != b"" or not 0 < len(lines) <= _STATES:
        return None
    table: dict[int, int] = {}
    for line in lines:
        match = re.fullmatch(rb"([1-9]\d{4,7})[ \t]+(\d{1,17})", line)
        if match is None or int(match[1]) in table:
            return None
        table[int(match[1])] = int(match[2]) * _UNIT_MS
    return table


def residency_share(before: Mapping[int, int], after: Mapping[int, int], expected_khz: int) -> float | None:
    """Share of the time between two tables at 95 % of `expected_khz` or more, 0 to 1.

    None where no time went by, or the counters went back (`stats/reset`, or a restart).
    """
    if set(before) != set(after):
        return None
    spent = {khz: after[khz] - before[khz] for khz in after}
    total = sum(spent.values())
    if total <= 0 or min(spent.values()) < 0:
        return None
    return sum(ms for khz, ms in spent.items() if khz >= _NEAR * expected_khz) / total


def discover(listing: Listing) -> Discovered:
    """A reading for each frequency, with the source `policy0/1800000`, and how often the policy changed it."""
    paths = listing.readable(_TIMES)
    if not paths:
        return Discovered.nothing("frequency-residency", listing.why_not(_TIMES))
    nodes = [PathNode(path, _table_parser(path.split("/")[-3])) for path in paths]
    nodes += [
        PathNode(path, integer_parser("transitions", path.split("/")[-3])) for path in listing.readable(_TRANSITIONS)
    ]
    return Discovered((SensorSpec("frequency-residency", _RATE_HZ, tuple(nodes)),))


def _table_parser(policy: str) -> Parser:
    def parse(data: bytes) -> tuple[Reading, ...]:
        table = parse_time_in_state(data)
        if table is None:
            return (unknown("residency_ms", policy, f"expected lines of kHz and ticks, got {shown(data)}"),)
        return tuple(known("residency_ms", f"{policy}/{khz}", ms) for khz, ms in table.items())

    return parse
