"""The samples file of a launch: checked against the counts, and against time itself."""

from __future__ import annotations

import numpy as np

from pocketbench.harness.errors import RunnerError
from pocketbench.harness.runner.protocol import SamplesEvent
from pocketbench.harness.runner.results import SAMPLE_DTYPE

__all__ = ["read_samples", "read_stream"]

_PAIR_BYTES = 16
# No device's clock runs twice as fast as ours.
_CLOCK_SLACK = 2.0


def read_samples(data: bytes, counts: SamplesEvent, timeout_s: float) -> np.ndarray:
    """Samples of dtype SAMPLE_DTYPE; RunnerError unless there are as many as `counts` says, in the order of time."""
    expected = counts.warmup + counts.steady
    if len(data) != expected * _PAIR_BYTES:
        raise RunnerError(f"expected {expected * _PAIR_BYTES} bytes of samples, got {len(data)}.", stage="samples")
    samples = _read(data, timeout_s)
    samples["steady"] = np.arange(expected) >= counts.warmup
    if np.median(samples["latency_ns"][samples["steady"]]) == 0:
        raise RunnerError("expected latencies that the device's clock can tell, got a median of 0 ns.", stage="samples")
    return samples


def read_stream(data: bytes, first: np.ndarray, timeout_s: float) -> np.ndarray:
    """Samples of a further stream beside those of the `first`; steady are those that began after its warm-up."""
    if not data or len(data) % _PAIR_BYTES:
        raise RunnerError(f"expected samples of every stream, got {len(data)} bytes of one.", stage="samples")
    samples = _read(data, timeout_s)
    samples["steady"] = samples["start_ns"] >= first["start_ns"][first["steady"]][0]
    return samples


def _read(data: bytes, timeout_s: float) -> np.ndarray:
    pairs = np.frombuffer(data, "<i8").reshape(-1, 2)
    starts, latencies = pairs[:, 0], pairs[:, 1]
    if (pairs < 0).any() or (starts[1:] - starts[:-1] < latencies[:-1]).any():
        raise RunnerError("expected samples in the order of time, got others: the file is damaged.", stage="samples")
    span_ns = int(starts[-1]) + int(latencies[-1]) - int(starts[0])
    if span_ns > _CLOCK_SLACK * timeout_s * 1e9:
        raise RunnerError(
            f"expected samples within the {timeout_s:g} s that the launch may take, got {span_ns / 1e9:g} s: "
            "the file is damaged.",
            stage="samples",
        )
    samples = np.empty(len(pairs), SAMPLE_DTYPE)
    samples["start_ns"], samples["latency_ns"] = starts, latencies
    return samples
