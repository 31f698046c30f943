"""The pieces of a plan."""

from __future__ import annotations

from dataclasses import dataclass, field

from pocketbench.harness.preparation.record import Setting

__all__ = ["Part", "Save", "Step"]


@dataclass(frozen=True, slots=True)
class Step:
    """Set `node` to `value`; `name` is for people."""

    name: str
    node: str
    value: str


@dataclass(frozen=True, slots=True)
class Save:
    """Put `node` back in the end, because `on_behalf_of` is set; where `ours` is given, only while it says that."""

    node: str
    on_behalf_of: str
    order: int
    ours: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What one wish comes to."""

    steps: list[Step] = field(default_factory=list)
    saves: list[Save] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)
