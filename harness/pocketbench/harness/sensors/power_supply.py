"""Files of /sys/class/power_supply (Documentation/ABI/testing/sysfs-class-power): a laptop's battery and mains."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["PowerSupply", "parse_power_supply"]

_STATUS = {"Charging", "Discharging", "Full", "Not charging", "Unknown"}


@dataclass(frozen=True, slots=True)
class PowerSupply:
    """`kind` is Battery, Mains, USB, …; `online` is None for a battery, `status` and `level_percent` for others."""

    kind: str
    status: str | None
    level_percent: int | None
    online: bool | None


def parse_power_supply(files: Mapping[str, str]) -> PowerSupply | None:
    """From the files of one supply by name (`type`, `status`, `capacity`, `online`); None without a type.

    A battery of a mouse has the scope "Device" and says nothing about the computer: None.
    """
    kind = re.fullmatch(r"([A-Za-z_]{1,20})\s*", files.get("type", ""), re.ASCII)
    if kind is None or files.get("scope", "").strip() == "Device":
        return None
    status = files.get("status", "").strip()
    capacity = re.fullmatch(r"(\d{1,3})\s*", files.get("capacity", ""), re.ASCII)
    online = files.get("online", "").strip()
    return PowerSupply(
        kind[1],
        status if status in _STATUS else None,
        int(capacity[1]) if capacity and int(capacity[1]) <= 100 else None,
        online != "0" if online in {"0", "1", "2"} else None,
    )
