"""The iterations of a launch in which the sampler read something, against others of the same launch.

Both see the same neighbours, so this finds a cost that the difference between two launches hides; but only what a
reading costs while it lasts. A long iteration is hit more often, whatever made it long. So the others are those that
the same readings would have hit half a period earlier, which are as often long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketbench.harness.runner.results import BenchResult

__all__ = ["Hits", "find_hits"]

# Beyond that, what is half a period away is often hit too.
_MOST_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Hits:
    """`share` of the steady iterations are hit; `ratio` of their median latency to that of the others."""

    share: float
    ratio: float


def find_hits(result: BenchResult, period_ns: int) -> Hits | None:
    """None without a sampler, and where no iteration or more than a quarter of them is hit."""
    if result.sampling is None:
        return None
    steady = result.samples[result.samples["steady"]]
    begins_ns = np.array([reading.start_ns for reading in result.sampling.readings], np.int64)
    lengths_ns = np.array([reading.duration_ns for reading in result.sampling.readings], np.int64)
    hit, other = (_hit(steady, begins_ns - shift_ns, lengths_ns) for shift_ns in (0, period_ns // 2))
    if not hit.any() or not other.any() or hit.mean() > _MOST_SHARE:
        return None
    latencies_ns = steady["latency_ns"]
    return Hits(float(hit.mean()), float(np.median(latencies_ns[hit]) / np.median(latencies_ns[other])))


def _hit(samples: NDArray[Any], begins_ns: NDArray[Any], lengths_ns: NDArray[Any]) -> NDArray[np.bool_]:
    """Readings come one after the other: those begun before an iteration's end, but for those over before its start."""
    begun = np.searchsorted(begins_ns, samples["start_ns"] + samples["latency_ns"], side="left")
    over = np.searchsorted(begins_ns + lengths_ns, samples["start_ns"], side="right")
    return np.asarray(begun > over)
