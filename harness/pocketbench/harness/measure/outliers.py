"""Iterations far from the rest: counted and shown, never deleted.

An interrupt is part of what the user's application will see too; the median does not mind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Outliers", "count_outliers"]

# Tukey, Exploratory data analysis, 1977: the inner and outer fences. Criterion names what lies beyond mild and severe.
_MILD_IQR, _SEVERE_IQR = 1.5, 3.0
# hyperfine, outlier_detection.rs: ten standard deviations, where the deviation is 1.4826 x the median absolute one.
_EXTREME_MAD = 10 * 1.4826


@dataclass(frozen=True, slots=True)
class Outliers:
    """`mild` lie beyond 1.5 interquartile ranges and `severe`, which are among them, beyond 3.

    `extreme` lie ten robust standard deviations off the median; None where more than half of all are equal, so that
    there is no such deviation.
    """

    mild: int
    severe: int
    extreme: int | None


def count_outliers(latencies: NDArray[Any]) -> Outliers:
    """Count, on both sides."""
    first, median, third = np.percentile(latencies, (25, 50, 75))
    beyond = np.maximum(first - latencies, latencies - third)
    distance = np.abs(latencies - median)
    deviation = float(np.median(distance))
    return Outliers(
        mild=int((beyond > _MILD_IQR * (third - first)).sum()),
        severe=int((beyond > _SEVERE_IQR * (third - first)).sum()),
        extreme=int((distance > _EXTREME_MAD * deviation).sum()) if deviation > 0 else None,
    )
