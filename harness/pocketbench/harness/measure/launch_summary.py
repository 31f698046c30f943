"""What one launch says: the median, p90, p99 and mean of its steady iterations.

A median resists the interrupts and page faults that a mean does not, so nothing needs to be deleted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["P90_FLOOR", "P99_FLOOR", "LaunchSummary", "launch_median", "launch_p90", "launch_p99", "summarise_launch"]

# MLPerf LoadGen's early stopping needs 64 queries before it states a 90th percentile and 662 before a 99th
# (mlcommons/endpoints #417): with fewer, one slow query too many cannot be told from bad luck at 99 % confidence.
P90_FLOOR = 64
P99_FLOOR = 662

Latencies = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class LaunchSummary:
    """Of one launch; latencies in ns. `p90_ns` is None under 64 steady iterations, `p99_ns` under 662."""

    iterations: int
    warmup_iterations: int
    median_ns: float
    p90_ns: float | None
    p99_ns: float | None
    mean_ns: float


def launch_median(latencies_ns: Latencies) -> float:
    """Median of the steady iterations; raises ValueError where there are none."""
    if len(latencies_ns) == 0:
        raise ValueError("expected at least one steady iteration, got none")
    return float(np.median(latencies_ns))


def launch_p90(latencies_ns: Latencies) -> float | None:
    """90th percentile (linear between order statistics), None under 64 iterations: too few to know it."""
    if len(latencies_ns) < P90_FLOOR:
        return None
    return float(np.percentile(latencies_ns, 90))


def launch_p99(latencies_ns: Latencies) -> float | None:
    """99th percentile, None under 662 iterations."""
    if len(latencies_ns) < P99_FLOOR:
        return None
    return float(np.percentile(latencies_ns, 99))


def summarise_launch(latencies_ns: Latencies, steady: Latencies) -> LaunchSummary:
    """Summary of all iterations of a launch; `steady` is False for those of the warm-up."""
    kept = latencies_ns[steady]
    return LaunchSummary(
        iterations=len(kept),
        warmup_iterations=len(latencies_ns) - len(kept),
        median_ns=launch_median(kept),
        p90_ns=launch_p90(kept),
        p99_ns=launch_p99(kept),
        mean_ns=float(np.mean(kept)),
    )
