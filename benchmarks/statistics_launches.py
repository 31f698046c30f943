"""What is found within a launch, and how often it is found where there is nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.outcome import Row
from benchmarks.statistics_noise import autoregressive, two_speeds
from pocketbench.harness.measure.batches import launch_quantile_interval
from pocketbench.harness.measure.drift import find_drift
from pocketbench.harness.measure.modes import find_modes
from pocketbench.harness.measure.warmup import find_warmup

__all__ = ["SHAPES", "drift_row", "interval_row", "mode_row", "warmup_row"]

Array = NDArray[Any]

_LATENCY_NS = 25e6  # so that the warm-up's window of half a second is 20 iterations
_SLOW_FIRST = 3.0

# The shape of a launch: what each of n iterations is slower by.
_SHAPES: dict[str, Callable[[Array], Array]] = {
    "steady": lambda place: 0 * place,
    "ramp of 2.6 %": lambda place: 0.026 * place,
    "ramp of 4.3 %": lambda place: 0.043 * place,
    "ramp of 8.6 %": lambda place: 0.086 * place,
    "step of 10 % after 1/4": lambda place: 0.1 * (place > 0.25),
    "step of 10 % after 1/2": lambda place: 0.1 * (place > 0.5),
    "step of 10 % after 3/4": lambda place: 0.1 * (place > 0.75),
    "step of 10 % after 9/10": lambda place: 0.1 * (place > 0.9),
}
SHAPES = tuple(_SHAPES)


def drift_row(shape: str, correlation: float, launches: int, seed: int) -> Row:
    """300 iterations with 3 % of noise: how often drift is found, and what the shape does to the median."""
    random = np.random.default_rng(seed)
    slower = _SHAPES[shape](np.linspace(0, 1, 300))
    latencies = _LATENCY_NS * (1 + autoregressive(random, (launches, 300), correlation, 0.03) + slower)
    found = [find_drift(row) for row in latencies]
    return {
        "launch": shape,
        "lag_1_correlation": correlation,
        "drift_found": float(np.mean([drift is not None and drift.direction != "none" for drift in found])),
        "median_off": float(np.median(latencies) / _LATENCY_NS - 1),
    }


def warmup_row(correlation: float, launches: int, seed: int) -> Row:
    """A first iteration of three times the latency, 20 % more that decays over 40, 3 % of noise; 600 iterations."""
    random = np.random.default_rng(seed)
    decay = 0.2 * np.exp(-np.arange(600) / 40)
    shape = 1 + decay
    shape[0] = _SLOW_FIRST
    latencies = _LATENCY_NS * (shape + autoregressive(random, (launches, 600), correlation, 0.03))
    found = [find_warmup(np.cumsum(row) - row, row, least_s=0) for row in latencies]
    return {
        "lag_1_correlation": correlation,
        "settled": float(np.mean([warmup.settled for warmup in found])),
        "median_iterations": float(np.median([warmup.iterations for warmup in found])),
        "mean_left": float(np.mean([decay[min(warmup.iterations, 599)] for warmup in found])),
    }


def mode_row(iterations: int, correlation: float, launches: int, seed: int) -> Row:
    """How often two speeds are found in launches of one, and where a quarter of iterations is at 1.2 or 1.4x."""
    random = np.random.default_rng(seed)
    row: dict[str, float | int] = {"iterations": iterations, "lag_1_correlation": correlation}
    for name, slower in (("one_speed", 1.0), ("second_at_1.2x", 1.2), ("second_at_1.4x", 1.4)):
        logs = autoregressive(random, (launches, iterations), correlation, 0.04)
        slow = two_speeds(random, logs.shape, 0.25, stretch=20)
        share = slow.mean(axis=1)
        latencies = _LATENCY_NS * np.exp(logs + np.log(slower) * slow)
        # Of the others hardly any iteration, or hardly one that is not, is slow.
        several = [len(find_modes(values)) > 1 for values in latencies[(share > 0.1) & (share < 0.9)]]
        row[name] = float(np.mean(several))
    return row


def interval_row(correlation: float, launches: int, seed: int) -> Row:
    """Share of launches of 300 iterations whose interval of the median holds it: ours, and with plain iterations."""
    random = np.random.default_rng(seed)
    latencies = 1 + autoregressive(random, (launches, 300), correlation, 0.05)
    found = [launch_quantile_interval(values) for values in latencies]
    # Order statistics, as for independent iterations: 150 -+ 1.96 x sqrt(300) / 2.
    low, high = np.sort(latencies, axis=1)[:, [132, 167]].T
    return {
        "lag_1_correlation": correlation,
        "batches": float(np.mean([ours is not None and not ours.excludes_1 for ours in found])),
        "plain": float(np.mean((low <= 1) & (high >= 1))),
    }
