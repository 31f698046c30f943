"""Burst and sustained: how long a launch works, and what it has to have measured.

They answer different questions, and a table names the one it is in. *Burst* is what a user sees who takes one photo:
from the start line, over before the device is hot. *Sustained* is what a video call sees: after the temperature has
settled, throttled or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["BURST", "REGIMES", "SUSTAINED", "Regime", "shortfalls"]

# The median of 100 has a standard error of an eighth of the iterations' deviation: 4 % become 0.5 %, less than launches
# differ by. Slow models may have 30: what 15 batches for the drift test need.
_ITERATIONS = 100
_ITERATIONS_SLOW = 30


@dataclass(frozen=True, slots=True)
class Regime:
    """Bounds of one launch in s: the warm-up lasts `least_warmup_s` to `most_warmup_s`, the steady part `least_s` to
    `most_s`. `throttling_is_invalid`: a launch that was throttled is not what the regime asks about."""

    name: Literal["burst", "sustained"]
    least_warmup_s: float
    most_warmup_s: float
    least_s: float
    most_s: float | None
    throttling_is_invalid: bool


# 3 s for the clocks and caches of a cold device. 5 s hold 100 iterations of 50 ms. No more than 10 s, so that it is
# over before a device is hot: choices of the protocol, and the signs of throttle.py say where they were too long.
BURST = Regime("burst", 3.0, 60.0, 5.0, 10.0, throttling_is_invalid=True)
# The temperature settles first (temperature.steady_since), which is waited for no longer than a quarter of an hour; a
# minute of measurement is what MLPerf Mobile asks of a valid run.
SUSTAINED = Regime("sustained", 60.0, 900.0, 60.0, None, throttling_is_invalid=False)

REGIMES = {regime.name: regime for regime in (BURST, SUSTAINED)}


def shortfalls(start_ns: NDArray[Any], latency_ns: NDArray[Any], regime: Regime) -> tuple[str, ...]:
    """What the steady part lacks: `few_iterations`, `short_span`, `long_span`.

    Flags, no reasons to drop a launch: the answer is less precise, not wrong.
    """
    if len(latency_ns) == 0:
        return ("few_iterations",)
    span_s = float(start_ns[-1] + latency_ns[-1] - start_ns[0]) / 1e9
    found = []
    if len(latency_ns) < _least_iterations(float(np.median(latency_ns)) / 1e9, regime):
        found.append("few_iterations")
    if span_s < regime.least_s:
        found.append("short_span")
    if regime.most_s is not None and span_s > regime.most_s and len(latency_ns) > _ITERATIONS_SLOW:
        found.append("long_span")
    return tuple(found)


def _least_iterations(latency_s: float, regime: Regime) -> int:
    fits = regime.most_s is None or _ITERATIONS * latency_s <= regime.most_s
    return _ITERATIONS if fits else _ITERATIONS_SLOW
