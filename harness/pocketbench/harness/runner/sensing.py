"""What the runner's sampler is asked to read, and the file of what it read. docs/runner.md describes both files."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pocketbench.harness.errors import RunnerError

__all__ = ["Reading", "SensorRequest", "read_readings", "sensor_list"]

# As in src/sensor.h.
_SENSOR_LIMIT, _ARGUMENT_LIMIT, _LONGEST_PERIOD_MS, _READING_LIMIT = 128, 16, 3_600_000, 1 << 16
_START = struct.pack("<8sI", b"PBSENSOR", 1)
# start_ns, duration_ns, length, sensor, status: `struct header` of src/sampler.c
_HEADER = struct.Struct("<qIIHH")
_FILE_LIMIT = 64 << 20
_EXIT, _SIGNAL, _TIMEOUT = 0x1000, 0x2000, 0x3000


@dataclass(frozen=True, slots=True)
class SensorRequest:
    """What to read every `period_ms`: a node's path, a command's words, or a question to the Raspberry Pi's firmware.

    `firmware` goes to the firmware's mailbox, or through `vcgencmd` where that is not open to the user.
    """

    period_ms: int
    kind: Literal["node", "command", "firmware"]
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading of the `sensor` at that place of the list: `data` is what was read, `problem` why that is not all.

    `start_ns` is the device's CLOCK_MONOTONIC, `duration_ns` what reading took (at most 4.29 s).
    """

    sensor: int
    start_ns: int
    duration_ns: int
    data: bytes
    problem: str | None


def sensor_list(sensors: Sequence[SensorRequest]) -> bytes:
    """The list as the runner reads it; ValueError for what it has no room for."""
    if not 1 <= len(sensors) <= _SENSOR_LIMIT:
        raise ValueError(f"expected 1 to {_SENSOR_LIMIT} sensors, got {len(sensors)}")
    return b"".join(map(_line, sensors))


def _line(sensor: SensorRequest) -> bytes:
    if not 1 <= sensor.period_ms <= _LONGEST_PERIOD_MS:
        raise ValueError(f"expected a period of 1 to {_LONGEST_PERIOD_MS} ms, got {sensor.period_ms}")
    limit = 1 if sensor.kind == "node" else _ARGUMENT_LIMIT
    words = sensor.arguments
    if not 1 <= len(words) <= limit or any(not word or set(word) & set("\t\n\0") for word in words):
        raise ValueError(f"expected 1 to {limit} words without tabs and line ends for a {sensor.kind}, got {words}")
    return os.fsencode("\t".join((str(sensor.period_ms), sensor.kind, *words))) + b"\n"


def read_readings(content: bytes, *, sensors: int, count: int) -> list[Reading]:
    """The `count` readings in a file's content, in the order of time; RunnerError where it holds anything else."""
    if len(content) > _FILE_LIMIT + len(_START):
        raise RunnerError(f"expected at most {_FILE_LIMIT} bytes of readings, got more.", stage="sensors")
    if not content.startswith(_START):
        raise RunnerError("expected a file of readings, version 1, got another one.", stage="sensors")
    readings: list[Reading] = []
    position = len(_START)
    while position < len(content):
        reading, position = _reading(content, position)
        if reading.sensor >= sensors or (readings and reading.start_ns < readings[-1].start_ns):
            raise RunnerError("expected readings of the list's sensors in the order of time: damaged.", stage="sensors")
        readings.append(reading)
    if len(readings) != count:
        raise RunnerError(f"expected {count} readings, got {len(readings)}: the file is damaged.", stage="sensors")
    return readings


def _reading(content: bytes, position: int) -> tuple[Reading, int]:
    begin = position + _HEADER.size
    if begin <= len(content):
        start_ns, duration_ns, length, sensor, status = _HEADER.unpack_from(content, position)
        end = begin + length
        if end <= len(content) and length <= _READING_LIMIT and start_ns >= 0:
            return Reading(sensor, start_ns, duration_ns, content[begin:end], _problem(status)), end
    raise RunnerError("expected complete readings, got a damaged file.", stage="sensors")


def _problem(status: int) -> str | None:
    if status == 0:
        return None
    if status < _EXIT:
        # The numbers of Linux, which is what this computer has too.
        return f"{os.strerror(status)} ({errno.errorcode.get(status, status)})"
    number = status & 0xFFF
    kinds = {_EXIT: f"exit code {number}", _SIGNAL: f"ended by signal {number}", _TIMEOUT: "no end within 2 s"}
    return kinds.get(status & ~0xFFF, f"unknown status {status}")
