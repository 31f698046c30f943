"""Neighbouring iterations as batches, each with one value: what makes single iterations comparable to a test.

Iterations that follow each other are alike (frequency, temperature, neighbours), so an interval over single ones is too
narrow: with a lag-1 correlation of 0.6 the plain interval of a median of 300 iterations holds the truth in 78 % of
cases, that over 10 batch medians in 95 %.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketbench.harness.measure.launch_summary import P90_FLOOR
from pocketbench.harness.measure.statistics import CONFIDENCE, Estimate, t_quantile

__all__ = ["BATCHES", "batch_quantiles", "launch_quantile_interval"]

# Nine degrees of freedom cost 15 % of width against infinitely many (t = 2.26 to 1.96), and batches of a tenth of the
# launch are long enough to forget each other. Schmeiser, Batch size effects in the analysis of simulation output, 1982:
# 10 to 30, more gain little.
BATCHES = 10
_SMALLEST_BATCH = {0.5: 10, 0.9: P90_FLOOR}


def batch_quantiles(latencies: NDArray[Any], batches: int, quantile: float = 0.5) -> NDArray[np.float64]:
    """The quantile of each of so many consecutive batches, whose lengths differ by one at most."""
    length, longer = divmod(len(latencies), batches)
    split = longer * (length + 1)
    long, short = latencies[:split].reshape(longer, length + 1), latencies[split:].reshape(batches - longer, length)
    take = np.median if quantile == 0.5 else partial(np.quantile, q=quantile)  # the former is five times as fast
    return np.concatenate([take(part, axis=1) for part in (long, short) if len(part)])


def launch_quantile_interval(latencies: NDArray[Any], quantile: float = 0.5) -> Estimate | None:
    """The median or p90 of one launch with Student's t interval over 10 batches.

    It says how well this launch is known, not how the next one will be. None under 100 iterations (p90: 640): a batch
    of fewer has no such quantile.
    """
    if len(latencies) < BATCHES * _SMALLEST_BATCH[quantile]:
        return None
    values = batch_quantiles(latencies, BATCHES, quantile)
    mean = float(np.mean(values))
    spread = t_quantile(BATCHES - 1, CONFIDENCE) * float(np.std(values, ddof=1)) / math.sqrt(BATCHES)
    return Estimate(mean, mean - spread, mean + spread, BATCHES)
