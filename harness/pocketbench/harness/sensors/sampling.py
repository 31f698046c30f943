"""What the runner's sampler is asked to read for a list of specs, and its readings as records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pocketbench.harness.runner.sensing import Reading, SensorRequest
from pocketbench.harness.sensors.spec import CommandNode, Node, SensorSpec
from pocketbench.harness.sensors.traces import Record, node_table

__all__ = ["records_of", "sensor_requests"]

_FIRMWARE = "vcgencmd"


def sensor_requests(specs: Sequence[SensorSpec]) -> tuple[SensorRequest, ...]:
    """One for each node of `node_table(specs)`, in its order. What vcgencmd would be asked goes to the firmware."""
    return tuple(_request(round(spec.period_ns / 1e6), node) for spec, node in node_table(specs))


def records_of(readings: Iterable[Reading]) -> tuple[Record, ...]:
    """A value is of the middle of the time that reading it took: a Raspberry Pi's rails take 23 ms."""
    return tuple(
        Record(reading.start_ns + reading.duration_ns // 2, reading.sensor, reading.data, reading.problem)
        for reading in readings
    )


def _request(period_ms: int, node: Node) -> SensorRequest:
    if not isinstance(node, CommandNode):
        return SensorRequest(period_ms, "node", (node.path,))
    if node.command[0] == _FIRMWARE:
        return SensorRequest(period_ms, "firmware", node.command[1:])
    return SensorRequest(period_ms, "command", node.command)
