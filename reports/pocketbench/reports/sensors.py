"""What a device was asked during launches, and why it was not asked the rest, from the JSON of `devices.sensors`.

{"sensed": [{"name": "thermal_zone", "rate_hz": 2}], "absent": [{"name": "rapl", "reason": "root reads it only"}]}
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pocketbench.reports.values import number

__all__ = ["SensorFact", "sensor_facts"]

_MOST = 200


@dataclass(frozen=True, slots=True)
class SensorFact:
    """A sensor that was asked `rate_hz` times a second, or that was not, for `reason`."""

    name: str
    is_sensed: bool
    rate_hz: float | None
    boundary: str | None
    reason: str | None


def sensor_facts(cell: str | None) -> tuple[SensorFact, ...]:
    """In their order, what is sensed first; of another form nothing."""
    try:
        found = json.loads(cell or "{}")
    except (ValueError, RecursionError):
        return ()
    if not isinstance(found, dict):
        return ()
    return tuple(_fact(entry, key == "sensed") for key in ("sensed", "absent") for entry in _entries(found.get(key)))


def _entries(value: Any) -> list[dict[str, Any]]:
    entries = value[:_MOST] if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, dict)]


def _fact(entry: dict[str, Any], is_sensed: bool) -> SensorFact:
    boundary, reason = entry.get("boundary"), entry.get("reason")
    return SensorFact(
        name=str(entry.get("sensor") or "unnamed"),
        is_sensed=is_sensed,
        rate_hz=number(entry.get("rate_hz")),
        boundary=str(boundary) if boundary else None,
        reason=str(reason) if reason else None,
    )
