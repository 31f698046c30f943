"""The seam between what a device is asked and what its answers mean.

A sensor is a module of this package: it names the files and programs that it would use, and `discover` makes specs from
what a listing of the device found. A spec is handed to the sampler in our runner, which reads its nodes at its rate on
the device's monotonic clock and gives back records of (time, number of the node, bytes); `parse` of the node turns the
bytes into readings. traces.py puts records together.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pocketbench.harness.sensors.listing import Listing
from pocketbench.harness.sensors.readings import Parser

__all__ = ["Absent", "Boundary", "CommandNode", "Discovered", "Node", "PathNode", "SensorModule", "SensorSpec"]

# What exactly a power figure is the power of.
Boundary = Literal["battery", "rails", "board input", "wall"]


@dataclass(frozen=True, slots=True)
class PathNode:
    """A file of the device that is read from its beginning.

    `wraps_at` is where the counter that it holds begins at 0 again.
    """

    path: str
    parse: Parser
    wraps_at: int | None = None

    @property
    def key(self) -> str:
        """Which node of the device it is."""
        return self.path


@dataclass(frozen=True, slots=True)
class CommandNode:
    """A command that is run on the device; what it prints on standard output is read."""

    command: tuple[str, ...]
    parse: Parser

    @property
    def key(self) -> str:
        """Which node of the device it is."""
        return shlex.join(self.command)

    @property
    def wraps_at(self) -> int | None:
        """No command gives a counter that wraps."""
        return None


Node = PathNode | CommandNode


@dataclass(frozen=True, slots=True)
class SensorSpec:
    """Nodes that are read one right after the other, `rate_hz` times a second.

    A sensor of power has a `boundary`, and the sources in `total` are those whose power adds up to it: each is in it
    once.
    """

    name: str
    rate_hz: float
    nodes: tuple[Node, ...]
    boundary: Boundary | None = None
    total: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.nodes or not self.rate_hz > 0 or (self.boundary is None) != (not self.total):
            raise ValueError(f"expected nodes, a rate, and a boundary with its total, got {self}")

    @property
    def period_ns(self) -> int:
        """Time from one reading to the next."""
        return round(1e9 / self.rate_hz)

    @property
    def paths(self) -> tuple[str, ...]:
        """Files to read."""
        return tuple(node.path for node in self.nodes if isinstance(node, PathNode))

    @property
    def commands(self) -> tuple[tuple[str, ...], ...]:
        """Commands to run."""
        return tuple(node.command for node in self.nodes if isinstance(node, CommandNode))


@dataclass(frozen=True, slots=True)
class Absent:
    """A sensor that this device does not have or does not let us read, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Discovered:
    """What a listing says about sensors."""

    specs: tuple[SensorSpec, ...] = ()
    absent: tuple[Absent, ...] = ()

    @staticmethod
    def all_of(parts: Sequence[Discovered]) -> Discovered:
        """One after the other."""
        return Discovered(
            tuple(spec for part in parts for spec in part.specs),
            tuple(absent for part in parts for absent in part.absent),
        )

    @staticmethod
    def nothing(name: str, reason: str) -> Discovered:
        """The device cannot say."""
        return Discovered(absent=(Absent(name, reason),))


class SensorModule(Protocol):
    """What each sensor's module has."""

    # Files that the listing looks for; `*` is one part of a path or a piece of it.
    PATTERNS: tuple[str, ...]
    # Programs that the listing looks for.
    PROGRAMS: tuple[str, ...]

    def discover(self, listing: Listing) -> Discovered:
        """Make specs from what is there; say why not for what is not."""
        ...
