"""Student's t intervals over launches or rounds: of the geometric mean for latencies, energies and ratios."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from pocketbench.reports.campaign import Interval

__all__ = ["arithmetic_mean", "geometric_mean", "median"]


# A bound beyond what a float can be says that nothing is known.
_LARGEST_LOG = 700.0


def geometric_mean(values: Sequence[float], confidence: float) -> Interval | None:
    """Of `values` above 0, with the interval of their logarithms; no interval for one value, None for none."""
    mean = arithmetic_mean([math.log(value) for value in values], confidence)
    if mean is None or mean.low is None or mean.high is None or mean.high > _LARGEST_LOG:
        return None if mean is None else Interval(math.exp(mean.value), None, None)
    return Interval(math.exp(mean.value), math.exp(mean.low), math.exp(mean.high))


def arithmetic_mean(values: Sequence[float], confidence: float) -> Interval | None:
    """Of values that may be 0 or less, such as net energies."""
    if not values:
        return None
    mean = math.fsum(value / len(values) for value in values)
    if len(values) == 1:
        return Interval(mean, None, None)
    from scipy.special import stdtrit  # 0.1 s to import

    deviation = math.hypot(*(value - mean for value in values)) / math.sqrt(len(values) - 1)
    spread = float(stdtrit(len(values) - 1, (1 + confidence) / 2)) * deviation / math.sqrt(len(values))
    return Interval(mean, mean - spread, mean + spread) if math.isfinite(spread) else Interval(mean, None, None)


def median(values: Sequence[float], confidence: float) -> Interval | None:
    """With the interval between two of the values, which needs no assumption on how they scatter.

    Of n values, fewer than k lie below the true median with the chance that fewer than k of n coins fall heads. For
    95 % that takes 6 values; with fewer there is no interval.
    """
    if not values:
        return None
    ordered, n = sorted(values), len(values)
    outside, below = (1 - confidence) / 2, 0
    chance = 0.5**n
    while below < n // 2 and chance <= outside:
        below += 1
        chance += math.comb(n, below) * 0.5**n
    middle = statistics.median(ordered)
    return Interval(middle, ordered[below - 1], ordered[n - below]) if below else Interval(middle, None, None)
