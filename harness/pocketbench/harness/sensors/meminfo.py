"""/proc/meminfo (proc_meminfo(5))."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Memory", "parse_meminfo"]

_TEXT_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class Memory:
    """In bytes. `available` is what programs can get without swapping (kernel 3.14 and later)."""

    total_bytes: int | None
    available_bytes: int | None
    swap_total_bytes: int | None
    swap_free_bytes: int | None

    @property
    def swap_used_bytes(self) -> int | None:
        """None where either figure is missing."""
        if self.swap_total_bytes is None or self.swap_free_bytes is None:
            return None
        return max(0, self.swap_total_bytes - self.swap_free_bytes)


# MemTotal:        8256856 kB
def parse_meminfo(text: str) -> Memory:
    """Each figure by its name."""
    found = dict(re.findall(r"^(\w{1,40}): {1,20}(\d{1,15}) kB$", text[:_TEXT_CHARACTERS], re.MULTILINE | re.ASCII))

    def value(name: str) -> int | None:
        return int(found[name]) * 1024 if name in found else None

    return Memory(value("MemTotal"), value("MemAvailable"), value("SwapTotal"), value("SwapFree"))
