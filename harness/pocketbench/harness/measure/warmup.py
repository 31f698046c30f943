"""Where the warm-up of a launch ends: the first point at which latency has stopped changing.

Looked for in all samples of the launch, afterwards: nothing is lost, and a better rule can be tried on old launches.

The rule: over the last two windows, the median of the second is within 2 % of that of the first, and the Theil-Sen
slope over both comes to less than 2 %; twice in a row, half a window apart. With 3 % of noise after a first iteration
of three times the latency and a 20 % decay over 40 iterations it ends at 110 to 130 iterations with less than 1 % left
(pyperf's rule: 60 with 4.7 % left; Jetpack Microbenchmark's: not within 600).

No such rule sees a slow ramp, as of a phone that heats up: for that there is drift.py, and a least time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketbench.harness.measure.batches import batch_quantiles
from pocketbench.harness.measure.trend import theil_sen_slope

__all__ = ["WarmUp", "find_warmup"]

# A governor raises the clock within some 10 to 100 ms: two windows of half a second see what it does.
_WINDOW_S = 0.5
# The median of 10 has a standard error of 40 % of the iterations' own deviation: fewer would pass and fail by chance.
_WINDOW_ITERATIONS = 10
# Twice the precision that ratios are measured to (1 %), as the median of the steady part averages over what is left.
_TOLERANCE = 0.02
_TIMES_IN_A_ROW = 2
# The slope is taken over so many batches at most: its cost grows with the square, its precision hardly.
_SLOPE_POINTS = 40


@dataclass(frozen=True, slots=True)
class WarmUp:
    """`iterations` come before the steady part. Where `settled` is False latency never stopped changing."""

    iterations: int
    settled: bool


def find_warmup(start_ns: NDArray[Any], latency_ns: NDArray[Any], *, least_s: float) -> WarmUp:
    """Find the end of the warm-up, `least_s` or more after the first start; where there is none all is warm-up."""
    if len(latency_ns) == 0:
        return WarmUp(0, settled=False)
    window = max(_WINDOW_ITERATIONS, round(_WINDOW_S * 1e9 / max(float(np.median(latency_ns)), 1.0)))
    passed = 0
    for end in range(2 * window, len(latency_ns) + 1, window // 2):
        passed = passed + 1 if _is_steady(latency_ns[end - 2 * window : end]) else 0
        long_enough = start_ns[end - 1] + latency_ns[end - 1] - start_ns[0] >= least_s * 1e9
        if passed >= _TIMES_IN_A_ROW and long_enough:
            return WarmUp(end, settled=True)
    return WarmUp(len(latency_ns), settled=False)


def _is_steady(latencies: NDArray[Any]) -> bool:
    first, second = batch_quantiles(latencies, 2)
    if abs(second / first - 1) >= _TOLERANCE:
        return False
    points = batch_quantiles(latencies, min(len(latencies), _SLOPE_POINTS))
    return abs(theil_sen_slope(points)) * len(points) < _TOLERANCE * float(np.median(latencies))
