"""What several streams do together, and what minutes of load do to latency. From samples alone.

All streams work at the same time only between the last start of measuring and the first end: what one does before or
after that has more of the device to itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketbench.harness.sensors.energy import Window

__all__ = ["common_window", "last_minute_ratio", "throughput_per_s", "within"]

Samples = NDArray[Any]
_MINUTE_NS = 60 * 10**9
# A launch of two minutes ends with the inference before they are over.
_LEAST_NS = 2 * _MINUTE_NS - 10**9


def common_window(streams: Sequence[Samples]) -> Window | None:
    """When all `streams` measured, each by its steady samples; None where that is no time."""
    steady = [samples[samples["steady"]] for samples in streams]
    if not all(len(samples) for samples in steady):
        return None
    start_ns = max(int(samples["start_ns"][0]) for samples in steady)
    end_ns = min(int(samples["start_ns"][-1] + samples["latency_ns"][-1]) for samples in steady)
    return Window(start_ns, end_ns) if end_ns > start_ns else None


def within(samples: Samples, window: Window) -> NDArray[np.bool_]:
    """Which of `samples` lie in `window` as a whole."""
    ends = samples["start_ns"] + samples["latency_ns"]
    return np.asarray((samples["start_ns"] >= window.start_ns) & (ends <= window.end_ns))


def throughput_per_s(streams: Sequence[Samples], window: Window) -> float | None:
    """Inferences per second in `window`: of each stream the rate at which they began there.

    None where one began fewer than two. Counting those that ended would be one too many or too few of each stream,
    which is much where a stream has ten, and wrong where they wait for their turn.
    """
    rates = []
    for samples in streams:
        starts = samples["start_ns"]
        inside = starts[(starts >= window.start_ns) & (starts <= window.end_ns)]
        if len(inside) < 2:
            return None
        rates.append((len(inside) - 1) * 1e9 / float(inside[-1] - inside[0]))
    return sum(rates)


def last_minute_ratio(samples: Samples) -> float | None:
    """Median latency of the last minute against the first, warm-up included; None under two minutes.

    The load begins with the first iteration: what a warm-up has heated is a part of the answer.
    """
    if len(samples) == 0:
        return None
    starts = samples["start_ns"]
    begin_ns, end_ns = int(starts[0]), int(starts[-1] + samples["latency_ns"][-1])
    if end_ns - begin_ns < _LEAST_NS:
        return None
    first = samples["latency_ns"][starts < begin_ns + _MINUTE_NS]
    last = samples["latency_ns"][starts >= end_ns - _MINUTE_NS]
    if len(last) == 0:  # a single inference took longer
        return None
    return float(np.median(last) / np.median(first))
