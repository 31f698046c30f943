"""The streams of a launch put together: what is stored of it, its latency over all of them, and their throughput."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pocketbench.harness.measure.launch_summary import LaunchSummary, summarise_launch
from pocketbench.harness.measure.streams import common_window, throughput_per_s, within
from pocketbench.harness.runner.results import BenchResult
from pocketbench.harness.sensors.energy import Window
from pocketbench.harness.store.samples import STREAMS_DTYPE

__all__ = ["Joint", "put_together"]

Samples = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """`samples` of all streams, one stream after the other; steady are those that count.

    `window` is when they count, None where that is no time; `throughput_per_s` that of all streams in it.
    """

    samples: Samples
    summary: LaunchSummary | None
    window: Window | None
    throughput_per_s: float | None

    @property
    def inference_s(self) -> float | None:
        """The share of the window that is one inference's."""
        if self.window is None or self.summary is None:
            return None
        if "stream" in (self.samples.dtype.names or ()):
            return None if self.throughput_per_s is None else 1 / self.throughput_per_s
        return self.window.duration_s / self.summary.iterations


def put_together(result: BenchResult, steady: Samples) -> Joint:
    """`steady` says which samples of the first stream count, when its warm-up was over.

    With several streams only what lies in their common window counts.
    """
    first = _with_steady(result.samples, steady)
    begin_ns = first["start_ns"][steady][0] if steady.any() else None
    others = [
        _with_steady(samples, np.zeros(len(samples), bool) if begin_ns is None else samples["start_ns"] >= begin_ns)
        for samples in result.other_streams
    ]
    streams = [first, *others]
    window = common_window(streams)
    throughput = None if window is None else throughput_per_s(streams, window)
    samples = _side_by_side(streams, window) if others else first
    summary = summarise_launch(samples["latency_ns"], samples["steady"]) if samples["steady"].any() else None
    return Joint(samples, summary, window, throughput)


def _with_steady(samples: Samples, steady: Samples) -> Samples:
    copy = samples.copy()
    copy["steady"] = steady
    return copy


def _side_by_side(streams: list[Samples], window: Window | None) -> Samples:
    samples = np.zeros(sum(map(len, streams)), STREAMS_DTYPE)
    position = 0
    for number, stream in enumerate(streams):
        part = samples[position : position + len(stream)]
        part["start_ns"], part["latency_ns"], part["stream"] = stream["start_ns"], stream["latency_ns"], number
        part["steady"] = False if window is None else within(stream, window)
        position += len(stream)
    return samples
