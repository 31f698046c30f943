"""The memory of one process: /proc/PID/status (proc_pid_status(5)) and /proc/PID/smaps_rollup (kernel 4.14 and later).

`status` is cheap, and not exact (its counters are updated late); `smaps_rollup` is exact, and walks all pages: outside
what is timed. VmHWM must be read before the process ends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pocketbench.harness.sensors.readings import Reading, known, shown, unknown
from pocketbench.harness.sensors.spec import PathNode, SensorSpec

__all__ = ["parse_smaps_rollup", "parse_status", "process_memory_spec"]

_TEXT_BYTES = 20_000
# Name of the line → what it is, in a report's words.
_STATUS = {
    b"VmHWM": "peak resident",
    b"VmRSS": "resident",
    b"RssAnon": "resident anonymous",
    b"RssFile": "resident of files",
    b"VmSwap": "swapped",
}
_ROLLUP = {
    b"Pss": "proportional",
    b"Private_Clean": "private clean",
    b"Private_Dirty": "private dirty",
    b"Swap": "swapped",
}
# Every 10 ms, as pyperf does, in a launch of its own.
_RATE_HZ = 100.0
_STATUS_LINE = re.compile(rb"(\w{1,40}):\s+(\d{1,15}) kB")


@dataclass(frozen=True, slots=True)
class _Table:
    names: dict[bytes, str]
    expected: str

    def parse(self, data: bytes) -> tuple[Reading, ...]:
        matches = (_STATUS_LINE.fullmatch(line) for line in data[:_TEXT_BYTES].split(b"\n")[:-1])
        found = {match[1]: int(match[2]) * 1024 for match in matches if match}
        return tuple(
            known("memory_bytes", name, found[key])
            if key in found
            else unknown("memory_bytes", name, f"expected {key.decode()} in {self.expected}, got {shown(data)}")
            for key, name in self.names.items()
        )


# VmHWM:	    1744 kB
def parse_status(data: bytes) -> tuple[Reading, ...]:
    """Peak and present resident memory, in bytes; includes what is shared."""
    return _Table(_STATUS, "/proc/PID/status").parse(data)


# 5633dc2d7000-7ffd50745000 ---p 00000000 00:00 0                          [rollup]
# Rss:                1748 kB
# Pss:                 187 kB
# Private_Dirty:       112 kB
def parse_smaps_rollup(data: bytes) -> tuple[Reading, ...]:
    """Proportional and private memory, in bytes: mapped weights are clean and can be dropped, dirty pages cannot."""
    if b"[rollup]\n" not in data[:200]:
        return (unknown("memory_bytes", "proportional", f"expected the line of a rollup, got {shown(data)}"),)
    return _Table(_ROLLUP, "/proc/PID/smaps_rollup").parse(data)


def process_memory_spec(pid: int) -> SensorSpec:
    """For a launch that measures memory."""
    nodes = (PathNode(f"/proc/{pid}/status", parse_status), PathNode(f"/proc/{pid}/smaps_rollup", parse_smaps_rollup))
    return SensorSpec("process-memory", _RATE_HZ, nodes)
