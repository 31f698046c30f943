"""What an earlier transfer that was cut has brought of what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pocketbench.harness.deploy.arrival import MissingObject
from pocketbench.harness.deploy.survey import Survey

__all__ = ["left_over", "resumable_bytes"]

# Files that were begun are gone on with one by one, in a round trip each.
_MOST_PARTIALS = 4


def resumable_bytes(seen: Survey, missing: Sequence[MissingObject]) -> int:
    """How much of `missing` an earlier attempt has brought."""
    return sum(left_over(seen, missing)[1].values())


def left_over(seen: Survey, missing: Sequence[MissingObject]) -> tuple[str, Mapping[str, int]]:
    """The directory below incoming/ that has most of what is missing, and how much of each."""
    sizes = {item.sha256: item.size_bytes for item in missing}
    best: tuple[str, Mapping[str, int]] = ("", {})
    if "flock" not in seen.tools:
        return best  # without it nobody can say whether the one who was sending is still there
    for token, found in seen.partials.items():
        usable = {sha256: size for sha256, size in found.items() if 0 < size <= sizes.get(sha256, 0)}
        begun = sum(size < sizes[sha256] for sha256, size in usable.items())
        if begun <= _MOST_PARTIALS and sum(usable.values()) > sum(best[1].values()):
            best = (token, usable)
    return best
