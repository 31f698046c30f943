"""Does latency go on changing within the steady part of a launch, gradually or at once?

Tests on 15 batch medians, as single iterations are too alike, and a size on top, as in a long launch the smallest
change is significant. A ramp is found by Mann and Kendall's test. A throttle step is not always: after a quarter of the
launch, where it moves the median by nearly all of itself, that test finds 7 in 10, so the clearest step is looked for
too. docs/statistics.md has how often each is found, and how often where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pocketbench.harness.measure.batches import batch_quantiles
from pocketbench.harness.measure.trend import clearest_step, mann_kendall_p, theil_sen_slope

__all__ = ["LEAST_FOR_DRIFT", "Drift", "find_drift"]

# Enough for the normal approximation of Mann and Kendall (10: Kendall 1975), few enough that batches of 100 iterations
# forget each other.
_BATCHES = 15
_SIGNIFICANCE = 0.05
# Of 15 independent normal values the clearest step has a larger t in 1 of 100 cases (400,000 draws; a test repeats it).
_CLEAR_STEP = 4.19
# As the warm-up's: what is smaller moves the median of the launch by less than the 1 % that ratios are measured to.
_SMALLEST_CHANGE = 0.02
# Two iterations a batch.
LEAST_FOR_DRIFT = 2 * _BATCHES


@dataclass(frozen=True, slots=True)
class Drift:
    """`ramp` is how much slower (above 0) or faster the end is than the start, as a share of the median, by the slope;
    `step` the same between the two levels into which the launch splits best. `p_value` is that of a ramp.

    `direction` is `none` unless one of them is both significant and larger than 2 %; if both are, it is the step's.
    """

    ramp: float
    p_value: float
    step: float
    direction: Literal["none", "slower", "faster"]


def find_drift(latencies: NDArray[Any]) -> Drift | None:
    """Test the steady iterations; None under 30, which cannot say."""
    if len(latencies) < LEAST_FOR_DRIFT:
        return None
    medians = batch_quantiles(latencies, _BATCHES)
    medians /= np.median(medians)
    ramp = theil_sen_slope(medians) * (_BATCHES - 1)
    p_value = mann_kendall_p(medians)
    split, clearness = clearest_step(medians)
    step = float(np.median(medians[split:]) - np.median(medians[:split]))
    found = [
        change
        for change, is_significant in ((step, abs(clearness) > _CLEAR_STEP), (ramp, p_value < _SIGNIFICANCE))
        if is_significant and abs(change) > _SMALLEST_CHANGE
    ]
    if not found:
        return Drift(ramp, p_value, step, "none")
    return Drift(ramp, p_value, step, "slower" if found[0] > 0 else "faster")
