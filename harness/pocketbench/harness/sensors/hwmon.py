"""Chips of /sys/class/hwmon, whose numbers change at each start: found by name (hwmon/sysfs-interface.rst).

hwmon gives millivolts, milliamperes and microwatts.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pocketbench.harness.sensors.integers import integer_parser
from pocketbench.harness.sensors.listing import Listing
from pocketbench.harness.sensors.spec import PathNode

__all__ = ["HWMON_NAMES", "Chip", "chips", "current_and_voltage"]

HWMON_NAMES = "/sys/class/hwmon/hwmon*/name"


@dataclass(frozen=True, slots=True)
class Chip:
    """One folder, and what the driver calls its chip."""

    folder: str
    name: str

    def path(self, file: str) -> str:
        """The path of one of its files."""
        return f"{self.folder}/{file}"

    @property
    def number(self) -> str:
        """`hwmon2`."""
        return self.folder.rpartition("/")[2]


def chips(listing: Listing, names: Collection[str]) -> tuple[Chip, ...]:
    """Those that are called so."""
    found = ((path.rpartition("/")[0], listing.text(path)) for path in listing.readable(HWMON_NAMES))
    return tuple(Chip(folder, name) for folder, name in found if name is not None and name in names)


def current_and_voltage(listing: Listing, chip: Chip, current: str, voltage: str, source: str) -> list[PathNode]:
    """Nodes that are read one after the other; empty where one of the two cannot be.

    Their product is finer than a chip's own power: a milliampere at 5 V is 5 mW, where the power register of an INA219
    steps by 20 mW and that of an INA226 by 25 mW with the same milliampere.
    """
    paths = (chip.path(current), chip.path(voltage))
    if not set(paths) <= set(listing.files):
        return []
    return [
        PathNode(paths[0], integer_parser("current_ua", source, times=1000)),
        PathNode(paths[1], integer_parser("voltage_uv", source, times=1000)),
    ]
