"""What a device was prepared with, from the JSON of `devices.preparation`: one record for each time a campaign ran."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Prepared", "preparations"]

_MOST = 200


@dataclass(frozen=True, slots=True)
class Prepared:
    """One thing of one record: a setting that was asked for, a change behind its back, or what did not go back."""

    what: str
    status: str
    before: str | None
    now: str | None
    reason: str | None


def preparations(cell: str | None) -> tuple[Prepared, ...]:
    """In their order; of another form nothing."""
    try:
        found = json.loads(cell or "[]")
    except (ValueError, RecursionError):
        return ()
    records = found if isinstance(found, list) else [found]
    return tuple(one for record in records if isinstance(record, dict) for one in _of(record))[:_MOST]


def _of(record: dict[str, Any]) -> Iterator[Prepared]:
    for setting in _entries(record.get("settings")):
        reason = "; ".join(filter(None, (_word(setting, "reason"), _word(setting, "remedy"))))
        yield Prepared(
            _word(setting, "name") or "setting",
            _word(setting, "status") or "not known",
            _word(setting, "before"),
            _word(setting, "found"),
            reason or None,
        )
    for change in _entries(record.get("changes")):
        yield Prepared(
            _word(change, "name") or "setting",
            "changed meanwhile",
            _word(change, "instead"),
            _word(change, "found"),
            _word(change, "reason"),
        )
    yield from _not_restored(record)


def _not_restored(record: dict[str, Any]) -> Iterator[Prepared]:
    restoration = record.get("restoration")
    if not isinstance(restoration, dict):
        problem = _word(record, "problem") or "the record does not say that it was; the device does it itself"
        yield Prepared("all of it", "not put back", None, None, problem)
        return
    for item in _entries(restoration.get("items")):
        if item.get("status") == "failed":
            node = _word(item, "node") or "setting"
            yield Prepared(node, "not put back", _word(item, "before"), _word(item, "found"), _word(item, "reason"))


def _entries(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _word(entry: dict[str, Any], key: str) -> str | None:
    value = entry.get(key)
    return None if value is None else str(value)
