"""The first line of /proc/stat: how much of all cores' time was work (proc_stat(5))."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["CpuTime", "parse_cpu_time"]

# user nice system idle iowait irq softirq steal guest guest_nice; guest time is in user already
_IDLE, _IOWAIT = 3, 4
_COUNTED = 8


@dataclass(frozen=True, slots=True)
class CpuTime:
    """Ticks since the start, over all cores."""

    busy: int
    total: int

    def busy_share_since(self, earlier: CpuTime) -> float | None:
        """Share of the time in between that was work, 0 to 1; None where no time went by."""
        total, busy = self.total - earlier.total, self.busy - earlier.busy
        return min(1.0, busy / total) if total > 0 and busy >= 0 else None


# cpu  10132153 290696 3084719 46828483 16683 0 25195 0 175628 0
def parse_cpu_time(text: str) -> CpuTime | None:
    """The line for all cores."""
    match = re.match(r"cpu ((?: \d{1,19}){4,10})$", text, re.MULTILINE | re.ASCII)
    if match is None:
        return None
    ticks = [int(part) for part in match[1].split()][:_COUNTED]
    idle = sum(ticks[_IDLE : _IOWAIT + 1])
    return CpuTime(busy=sum(ticks) - idle, total=sum(ticks))
