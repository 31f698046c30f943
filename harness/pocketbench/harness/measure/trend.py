"""Does a short series rise or fall? Mann and Kendall's test, Theil and Sen's slope, and the clearest step.

The first two look at the order and the slopes of pairs, so that a single wild value moves neither. Sources: Mann,
Nonparametric tests against trend, Econometrica 1945 (the test); Kendall, Rank correlation methods, 1975 (its variance
with ties); Sen, Estimates of the regression coefficient based on Kendall's tau, JASA 1968 (the slope); Hawkins,
Testing a sequence of observations for a shift in location, JASA 1977 (the step).
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["clearest_step", "mann_kendall_p", "theil_sen_slope"]

# A single value is an outlier, no level.
_SHORTEST_LEVEL = 2


def mann_kendall_p(values: NDArray[Any]) -> float:
    """Two-sided p of a trend in at least 4 values that are independent of each other, by the normal approximation.

    On raw iterations it cries wolf, since neighbours are alike: of steady launches with a lag-1 correlation of 0.5 it
    calls 22 % drifting. So it is given medians of batches.
    """
    earlier, later = _pairs(len(values))
    score = int(np.sign(values[later] - values[earlier]).sum())
    if score == 0:
        return 1.0
    count = len(values)
    variance = _variance(count) - sum(_variance(int(ties)) for ties in np.unique(values, return_counts=True)[1])
    # The score moves in steps of 2: half a step is taken off, as Kendall does.
    return math.erfc((abs(score) - 1) / math.sqrt(2 * variance))


def theil_sen_slope(values: NDArray[Any]) -> float:
    """Median slope of all pairs of at least 2 values, per step from one to the next."""
    earlier, later = _pairs(len(values))
    return float(np.median((values[later] - values[earlier]) / (later - earlier)))


def clearest_step(values: NDArray[Any]) -> tuple[int, float]:
    """Where at least 4 values split best into two levels, and how clearly: Student's t of the two (above 0: upwards).

    The largest of many t is large by chance as well; drift.py has how large.
    """
    splits = np.arange(_SHORTEST_LEVEL, len(values) - _SHORTEST_LEVEL + 1)
    before = np.cumsum(values)[splits - 1] / splits
    after = (values.sum() - before * splits) / (len(values) - splits)
    rest = len(values) - splits
    scatter = (values**2).sum() - splits * before**2 - rest * after**2
    error = np.sqrt(np.maximum(scatter, 0) / (len(values) - 2) * (1 / splits + 1 / rest))
    with np.errstate(divide="ignore", invalid="ignore"):
        clearness = np.nan_to_num((after - before) / error, nan=0.0)
    best = int(np.argmax(np.abs(clearness)))
    return int(splits[best]), float(clearness[best])


def _variance(count: int) -> float:
    return count * (count - 1) * (2 * count + 5) / 18


@cache
def _pairs(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    earlier, later = np.triu_indices(count, 1)
    return earlier, later
