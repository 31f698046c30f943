"""Which channels of a network hang together, and which of them to keep. Numbers only: no framework.

Every channel that a layer makes gets an integer id; what an operator does to channels, it does to their ids. Where two
tensors are added, their ids are joined: such channels live and die together. A *role* says that an axis of a weight
carries channels; a *family* is the classes that play the same roles, so that their scores compare and they are
chosen from together.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

__all__ = ["Channels", "Family", "Kind", "Role", "choose"]

Ids = np.ndarray
Kind = Literal["makes", "follows", "reads"]
"""A weight's axis: `makes` the channels, `follows` them one by one (batch norm), or `reads` them into other ones."""


@dataclass(frozen=True, slots=True)
class Role:
    """Axis `axis` of the weight `weight` of the layer `layer` carries the channels `ids`."""

    layer: Hashable
    weight: int
    axis: int
    kind: Kind
    ids: Ids


@dataclass(frozen=True, slots=True)
class Family:
    """Classes of channels that play the same roles; `layers` make them."""

    roots: np.ndarray
    layers: tuple[Hashable, ...]


class Channels:
    """Channel ids in a union-find, and the roles they play."""

    def __init__(self) -> None:
        self._parents: list[int] = []
        self._locks: dict[int, str] = {}
        self.roles: list[Role] = []

    def new(self, count: int) -> Ids:
        """Return the ids of `count` channels that did not exist before."""
        first = len(self._parents)
        self._parents.extend(range(first, first + count))
        return np.arange(first, first + count)

    def join(self, one: Ids, other: Ids) -> None:
        """Let the channels of two tensors, in order, live and die together."""
        if len(one) != len(other):
            raise ValueError(f"expected as many channels on both sides, got {len(one)} and {len(other)}")
        for a, b in zip(one, other, strict=True):
            kept, merged = self._find(int(a)), self._find(int(b))
            if kept != merged:
                self._parents[merged] = kept
                if merged in self._locks:
                    self._locks.setdefault(kept, self._locks[merged])

    def lock(self, ids: Ids, reason: str) -> None:
        """Keep these channels whatever happens; the first reason stays."""
        for channel in ids:
            self._locks.setdefault(self._find(int(channel)), reason)

    def roots(self, ids: Ids | None = None) -> np.ndarray:
        """Return the class of every channel in `ids` (default: of all)."""
        chosen: Iterable[int] = range(len(self._parents)) if ids is None else (int(channel) for channel in ids)
        return np.array([self._find(channel) for channel in chosen], dtype=np.int64)

    def locks(self) -> dict[int, str]:
        """Return the reason by class, for locked ones."""
        return {root: reason for root, reason in self._locks.items() if self._find(root) == root}

    def families(self) -> list[Family]:
        """Return the families of channels that are made by a layer and not locked, in order of their first channel."""
        roots, locks = self.roots(), self.locks()
        played: dict[int, list[int]] = {}
        for number, role in enumerate(self.roles):
            for root in np.unique(roots[role.ids]):
                played.setdefault(int(root), []).append(number)
        families: dict[tuple[int, ...], list[int]] = {}
        for root in sorted(played):
            if root not in locks:
                families.setdefault(tuple(played[root]), []).append(root)
        return [
            Family(np.array(members), tuple(dict.fromkeys(self.roles[n].layer for n in numbers if self._makes(n))))
            for numbers, members in families.items()
            if any(self._makes(number) for number in numbers)
        ]

    def _makes(self, number: int) -> bool:
        return self.roles[number].kind == "makes"

    def _find(self, channel: int) -> int:
        parents = self._parents
        while parents[channel] != channel:
            parents[channel] = parents[parents[channel]]
            channel = parents[channel]
        return channel


def choose(
    families: Iterable[Family], scores: np.ndarray, *, ratio: float, round_to: int, minimum: int
) -> tuple[np.ndarray, list[int]]:
    """Return the classes to drop, and how many of each family are kept.

    Of each family the share `ratio` with the lowest scores goes. What stays is rounded up to a multiple of
    `round_to` and is at least `minimum`; a family that is no larger stays whole.
    """
    dropped: list[np.ndarray] = []
    kept: list[int] = []
    for family in families:
        size = len(family.roots)
        # A billionth less: (1 - 0.9) * 80 is 7.999999999999998 or 8.000000000000002, and both mean 8.
        wanted = max(minimum, int(np.ceil(size * (1 - ratio) / round_to - 1e-9)) * round_to)
        kept.append(min(size, wanted))
        order = np.argsort(scores[family.roots], kind="stable")
        dropped.append(family.roots[order[: size - kept[-1]]])
    return (np.sort(np.concatenate(dropped)) if dropped else np.array([], dtype=np.int64)), kept
