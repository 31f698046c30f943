"""How alike neighbouring iterations are, and how many independent ones a launch is worth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["effective_count", "lag1_correlation"]


def lag1_correlation(latencies: NDArray[Any]) -> float | None:
    """Correlation of the ranks of each iteration and its successor; None where all iterations are equal.

    Ranks, since one interrupt that takes a hundred times as long would hide everything else.
    """
    ranks = _ranks(latencies)
    before, after = ranks[:-1] - ranks[:-1].mean(), ranks[1:] - ranks[1:].mean()
    spread = float(np.sqrt((before**2).sum() * (after**2).sum()))
    return float((before * after).sum()) / spread if spread > 0 else None


def effective_count(count: int, lag1: float) -> float:
    """Independent iterations that say as much about the mean: n (1 - r) / (1 + r), as of a first-order process.

    At most `count`: that a negative correlation helps is not relied upon.
    """
    return count * (1 - max(lag1, 0.0)) / (1 + max(lag1, 0.0))


def _ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """Ranks from 0; equal values share the middle of theirs (clocks of phones tick in 52 ns)."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts + 1) / 2)[place]
