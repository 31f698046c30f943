"""Meters on this computer: what each offers, and a trace from what it gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pocketbench.harness.sensors.clock_alignment import ClockFit
from pocketbench.harness.sensors.spec import Boundary
from pocketbench.harness.sensors.traces import Trace

__all__ = ["Meter", "MeterSample", "meter_trace"]


@dataclass(frozen=True, slots=True)
class MeterSample:
    """`time_s` is by the meter's clock, whatever its zero; clock_alignment.py finds the device's."""

    time_s: float
    power_w: float


class Meter(Protocol):
    """A source of samples. It is opened by its constructor and must be closed."""

    name: str
    rate_hz: float
    boundary: Boundary

    def read(self) -> tuple[MeterSample, ...]:
        """What came since the last call; waits about a second at most. DeviceError where the meter is gone."""
        ...

    def close(self) -> None:
        """Give the meter back; harmless a second time."""
        ...


def meter_trace(name: str, rate_hz: float, samples: Sequence[MeterSample], clock: ClockFit) -> Trace:
    """`power_uw` at the device's times."""
    times_s = np.array([sample.time_s for sample in samples], dtype=np.float64)
    power = np.array([sample.power_w for sample in samples], dtype=np.float64)
    return Trace("power_uw", name, clock.device_ns(times_s), power * 1e6, round(1e9 / rate_hz))
