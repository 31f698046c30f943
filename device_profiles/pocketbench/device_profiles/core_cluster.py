"""Cores of one kind as a device itself tells of them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CoreCluster"]


@dataclass(frozen=True, slots=True)
class CoreCluster:
    """Cores of one kind that share their highest frequency.

    `cpus` are the kernel's numbers. `implementer` and `part` are those of Arm's MIDR register; `core` and they are None
    where the kernel does not say, `max_khz` where it has no cpufreq.
    """

    core: str | None
    cpus: tuple[int, ...]
    max_khz: int | None
    implementer: int | None = None
    part: int | None = None

    def __str__(self) -> str:
        fastest = f" up to {self.max_khz / 1000:.0f} MHz" if self.max_khz else ""
        return f"{len(self.cpus)} x {self.core or 'unknown'}{fastest}"
