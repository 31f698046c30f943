"""From the sampler's records to one series for each thing that was sensed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pocketbench.harness.sensors.readings import Reading
from pocketbench.harness.sensors.spec import Node, SensorSpec

__all__ = ["Record", "Trace", "TraceKey", "make_trace", "node_table", "traces_of"]

# Spec, quantity, source.
TraceKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Record:
    """One reading of one node, as the sampler hands it over: when, by the device's monotonic clock, and what.

    `node` is its place in `node_table`. `problem` says why it could not be read.
    """

    monotonic_ns: int
    node: int
    data: bytes
    problem: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Values at their times, which only grow. Readings without a value are left out: `missing` counts them.

    `period_ns` is the time between readings that was asked for. `clock_ms` are the sensor's own times where it has
    some. `wraps_at` is where a counter begins at 0 again.
    """

    quantity: str
    source: str
    times_ns: NDArray[np.int64]
    values: NDArray[np.float64]
    period_ns: int
    missing: int = 0
    reason: str | None = None
    clock_ms: NDArray[np.int64] | None = None
    wraps_at: int | None = None

    def __len__(self) -> int:
        return len(self.times_ns)


@dataclass(slots=True)
class _Growing:
    times_ns: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    clock_ms: list[int] = field(default_factory=list)
    missing: int = 0
    reason: str | None = None
    wraps_at: int | None = None

    def add(self, monotonic_ns: int, reading: Reading) -> None:
        if reading.value is None:
            self.missing += 1
            self.reason = self.reason or reading.reason
        elif not self.times_ns or monotonic_ns > self.times_ns[-1]:
            self.times_ns.append(monotonic_ns)
            self.values.append(reading.value)
            if reading.clock_ms is not None:
                self.clock_ms.append(reading.clock_ms)


def node_table(specs: Sequence[SensorSpec]) -> tuple[tuple[SensorSpec, Node], ...]:
    """All nodes of all specs; a record names its node by the place here."""
    return tuple((spec, node) for spec in specs for node in spec.nodes)


def traces_of(specs: Sequence[SensorSpec], records: Iterable[Record]) -> Mapping[TraceKey, Trace]:
    """One trace for each quantity and source. Records of nodes that are not in the table are the sampler's error."""
    table = node_table(specs)
    growing: dict[TraceKey, _Growing] = {}
    periods = {spec.name: spec.period_ns for spec in specs}
    for record in records:
        spec, node = table[record.node]
        readings = node.parse(record.data if record.problem is None else b"")
        for reading in readings:
            series = growing.setdefault((spec.name, reading.quantity, reading.source), _Growing())
            series.wraps_at = node.wraps_at
            series.add(record.monotonic_ns, reading)
            if record.problem is not None:
                series.reason = record.problem
    return {key: _finished(key, series, periods[key[0]]) for key, series in growing.items()}


def make_trace(
    quantity: str,
    source: str,
    times_ns: Iterable[int],
    values: Iterable[float],
    *,
    period_ns: int,
    wraps_at: int | None = None,
) -> Trace:
    """A trace of values that are all known, as a meter on this computer gives them."""
    times = np.fromiter(times_ns, dtype=np.int64)
    return Trace(quantity, source, times, np.fromiter(values, dtype=np.float64), period_ns, wraps_at=wraps_at)


def _finished(key: TraceKey, series: _Growing, period_ns: int) -> Trace:
    whole_clock = len(series.clock_ms) == len(series.times_ns) > 0
    return Trace(
        quantity=key[1],
        source=key[2],
        times_ns=np.array(series.times_ns, dtype=np.int64),
        values=np.array(series.values, dtype=np.float64),
        period_ns=period_ns,
        missing=series.missing,
        reason=series.reason,
        clock_ms=np.array(series.clock_ms, dtype=np.int64) if whole_clock else None,
        wraps_at=series.wraps_at,
    )
