"""The checked list: what two jobs must have in common to be compared, and what may explain a difference.

A condition that differs is named with both values. It refuses what it makes meaningless, or marks what it may explain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pocketbench.reports.names import shorten

__all__ = ["CONDITIONS", "Condition", "Difference", "Facts", "Refuses", "different_conditions"]

Refuses = Literal["everything", "latency", "quality"]
Fact = str | float | None
Facts = Mapping[str, Fact]
"""What a job was measured under, by key; None where it is not known."""

_LONGEST = 80
# As much of a hash as tells two files apart.
_HASH = 13


@dataclass(frozen=True, slots=True)
class Condition:
    """`refuses` is what cannot be compared where it differs, None where it is only marked.

    Numbers differ where one is more than `tolerance_share` larger, or more than `tolerance` apart.
    """

    refuses: Refuses | None
    tolerance: float = 0.0
    tolerance_share: float = 0.0


@dataclass(frozen=True, slots=True)
class Difference:
    """A condition that is not the same in A (`before`) and B (`after`), both values in words."""

    key: str
    before: str
    after: str
    refuses: Refuses | None


# The kernel keeps some of the memory that is built in for itself, and not always as much.
_MEMORY_SHARE = 0.1
# What a sensor of whole degrees can be off by (measure/temperature.py).
_START_LINE_C = 2.0

CONDITIONS: dict[str, Condition] = {
    "threads": Condition("everything"),
    "cores": Condition("everything"),
    "accelerator": Condition("everything"),
    "device.model": Condition("everything"),
    "device.cpu": Condition("everything"),
    "device.architecture": Condition("everything"),
    "device.cores": Condition("everything"),
    "device.memory_bytes": Condition("everything", tolerance_share=_MEMORY_SHARE),
    "regime": Condition("latency"),
    # Ratios are against the reference: with another one, or the same elsewhere, they are ratios of something else.
    "reference": Condition("latency"),
    "reference.sha256": Condition("latency"),
    "reference.accelerator": Condition("latency"),
    "quality.metric": Condition("quality"),
    "quality.samples": Condition("quality"),
    "variant.sha256": Condition(None),
    "engine_id": Condition(None),
    "reference.engine_id": Condition(None),
    "device": Condition(None),
    "device.address": Condition(None),
    "device.os": Condition(None),
    "device.kernel": Condition(None),
    "device.cpu_features": Condition(None),
    "device.governor": Condition(None),
    "device.power": Condition(None),
    "device.sensors": Condition(None),
    "device.start_line_c": Condition(None, tolerance=_START_LINE_C),
    "launch.iterations": Condition(None),
    "launch.min_time_s": Condition(None),
    "launch.max_time_s": Condition(None),
    "launch.warmup_iterations": Condition(None),
    "launch.warmup_time_s": Condition(None),
    "plan.prepare": Condition(None),
    "pocketbench_version": Condition(None),
}
# Keys of `scenario` in the plan, and others of `launch`, say what kind of load is measured: paced, several streams.
_LOAD = ("scenario.", "launch.")
_OTHER_LOAD = Condition("latency")
# Any other key of the plan may explain something until somebody has decided that it does not.
_OTHER = Condition(None)
# With none of these known, two names are two devices; with one they may be two of a kind.
_KIND = ("device.model", "device.cpu")


def different_conditions(before: Facts, after: Facts) -> tuple[Difference, ...]:
    """What differs between two jobs, what refuses first. Not known on one side is marked, on both it says nothing."""
    found = list(_differing(before, after))
    return tuple(sorted(found, key=lambda one: one.refuses is None))


def _differing(before: Facts, after: Facts) -> Iterator[Difference]:
    keys = dict.fromkeys([*CONDITIONS, *before, *after])
    for key in keys:
        own, other = before.get(key), after.get(key)
        condition = CONDITIONS.get(key) or (_OTHER_LOAD if key.startswith(_LOAD) else _OTHER)
        if _same(own, other, condition):
            continue
        refuses = None if own is None or other is None else condition.refuses
        if key == "device" and all(facts.get(kind) is None for facts in (before, after) for kind in _KIND):
            refuses = "everything"
        longest = _HASH if key.endswith("sha256") else _LONGEST
        yield Difference(key, _words(own, longest), _words(other, longest), refuses)


def _same(own: Fact, other: Fact, condition: Condition) -> bool:
    if isinstance(own, float) and isinstance(other, float):
        allowed = max(condition.tolerance, condition.tolerance_share * min(abs(own), abs(other)))
        return abs(own - other) <= allowed
    return own == other


def _words(fact: Fact, longest: int) -> str:
    if fact is None:
        return "not known"
    return f"{fact:.12g}" if isinstance(fact, float) else shorten(fact, longest)
