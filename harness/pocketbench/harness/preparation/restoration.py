"""What a device has written down of a preparation that ended."""

from __future__ import annotations

import re
from typing import Literal, cast

from pocketbench.harness.devices.parsers import clean_text
from pocketbench.harness.preparation.record import PutBack, Restoration

__all__ = ["parse_restoration"]

_BYTES = 1_000_000
_STATUSES = ("restored", "left", "rebooted", "failed")
_TOKEN = re.compile(r"[0-9a-f]{32}")


# format 1
# token 5f0c…
# by guardian
# uptime 5123
# time 2026-01-02T03:04:05Z
# node sys/devices/system/cpu/cpufreq/policy0/scaling_governor
# value ondemand
# status restored
# found ondemand
# end
def parse_restoration(data: bytes) -> Restoration | None:
    """Read the file `last`; None where that is not what it is."""
    lines = data[:_BYTES].decode(errors="replace").splitlines()
    pairs = [(key, value) for key, _, value in (line.partition(" ") for line in lines)]
    if ("format", "1") not in pairs[:1] or ("end", "") not in pairs:
        return None
    head: dict[str, str] = {}
    items: list[dict[str, str]] = []
    for key, value in pairs[: pairs.index(("end", ""))]:
        if key == "node":
            items.append({})
        (items[-1] if items else head).setdefault(key, value)
    uptime = head.get("uptime", "")
    if not _TOKEN.fullmatch(head.get("token", "")) or not re.fullmatch(r"\d{1,12}", uptime, re.ASCII):
        return None
    by, at = (clean_text(head.get(key, "")) or "unknown" for key in ("by", "time"))
    put_back = tuple(item for fields in items if (item := _item(fields)) is not None)
    return Restoration(head["token"], by, at, int(uptime), put_back)


def _item(fields: dict[str, str]) -> PutBack | None:
    node, before = clean_text(fields.get("node", "")), clean_text(fields.get("value", ""))
    status = fields.get("status")
    if node is None or before is None or status not in _STATUSES:
        return None
    found, reason = clean_text(fields.get("found", "")), clean_text(fields.get("error", ""))
    known = cast(Literal["restored", "left", "rebooted", "failed"], status)
    return PutBack(node, before, None if found == "?" else found, known, reason)
