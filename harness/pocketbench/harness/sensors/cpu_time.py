"""The first lines of /proc/stat: how much of the cores' time was work (proc_stat(5))."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["CpuTime", "parse_cpu_time", "parse_cpu_times"]

# user nice system idle iowait irq softirq steal guest guest_nice; guest time is in user already
_IDLE, _IOWAIT = 3, 4
_COUNTED = 8
_TEXT_CHARACTERS = 64_000
_CORES = 1024
_LINE = re.compile(r"^(cpu ?|cpu\d{1,4})((?: \d{1,19}){4,10})$", re.MULTILINE | re.ASCII)


@dataclass(frozen=True, slots=True)
class CpuTime:
    """Ticks since the start, of one core or all."""

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
    return _time(match[1]) if match else None


# cpu  10132153 290696 3084719 46828483 16683 0 25195 0 175628 0
# cpu0 1393280 32966 572056 13343292 6130 0 17875 0 23933 0
def parse_cpu_times(text: str) -> dict[str, CpuTime]:
    """All cores together as `cpu`, each by itself as `cpu0`; empty where the first line is another."""
    if not text.startswith("cpu  "):
        return {}
    lines = _LINE.findall(text[:_TEXT_CHARACTERS])[:_CORES]
    return {name.strip(): _time(ticks) for name, ticks in lines}


def _time(text: str) -> CpuTime:
    ticks = [int(part) for part in text.split()][:_COUNTED]
    idle = sum(ticks[_IDLE : _IOWAIT + 1])
    return CpuTime(busy=sum(ticks) - idle, total=sum(ticks))
