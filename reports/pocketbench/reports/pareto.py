"""Which points are dominated: another one is at least as good in both measures and better in one."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["dominated"]


def dominated(points: Sequence[tuple[float, float]]) -> tuple[bool, ...]:
    """For points (cost, cost), lower is better in both; equal points do not dominate each other."""
    return tuple(
        any(other[0] <= point[0] and other[1] <= point[1] and other != point for other in points) for point in points
    )
