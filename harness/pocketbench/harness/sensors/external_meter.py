"""Any meter, through a program of the user: it prints a line `time_s,watts` for each sample, as it takes it.

    # comment lines begin with a number sign
    12.340,3.1875
    12.350,3.2010

The time is in seconds by any clock that runs evenly and forward; the power in watts. The program runs until it gets
SIGTERM. It must flush each line.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import selectors
import subprocess
from collections.abc import Sequence

from pocketbench.harness.errors import DeviceError
from pocketbench.harness.sensors.meters import MeterSample
from pocketbench.harness.sensors.readings import shown
from pocketbench.harness.sensors.spec import Boundary

__all__ = ["ExternalMeter", "parse_line"]

_LINE = re.compile(rb"([+-]?\d{1,12}(?:\.\d{1,12})?),([+-]?\d{1,9}(?:\.\d{1,12})?(?:[eE][+-]?\d{1,2})?)\r?")
_MOST_W = 100_000.0
_LINE_BYTES = 1000
_PIECE_BYTES = 65_536
_WAIT_S = 1.0
_END_S = 5.0


# 12.340,3.1875
def parse_line(line: bytes) -> MeterSample | None:
    """One sample; None for a comment and an empty line. DeviceError for anything else."""
    if not line.strip() or line.startswith(b"#"):
        return None
    match = _LINE.fullmatch(line)
    power_w = float(match[2]) if match else math.nan
    if match is None or not abs(power_w) <= _MOST_W:
        raise DeviceError(
            f"expected the meter's program to print time_s,watts, got {shown(line)}: correct the program."
        )
    return MeterSample(float(match[1]), power_w)


class ExternalMeter:
    """The program `argv`, which runs from now on to `close`. `boundary` is what the user wired it to."""

    def __init__(self, argv: Sequence[str], *, rate_hz: float, boundary: Boundary) -> None:
        self.name = os.path.basename(argv[0])  # noqa: PTH119 -- a name, not a path
        self.rate_hz = rate_hz
        self.boundary: Boundary = boundary
        self._rest = b""
        self._last_s = -math.inf
        try:
            self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, bufsize=0)
        except OSError as error:
            raise DeviceError(
                f"expected the meter's program {argv[0]!r} to start, got: {error.strerror}: check its path and that it "
                f"is executable."
            ) from error

    def read(self) -> tuple[MeterSample, ...]:
        """Samples since the last call; waits a second for the first. DeviceError where the program ended or errs."""
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(_WAIT_S):
                return ()
        data = os.read(self._process.stdout.fileno(), _PIECE_BYTES)
        if not data:
            code = self._process.wait(_END_S)
            raise DeviceError(
                f"expected {self.name} to print samples until it is ended, got its end, exit code {code}."
            )
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LINE_BYTES:
            raise DeviceError(f"expected lines from {self.name}, got {len(self._rest)} bytes without a line end.")
        samples = tuple(sample for line in lines if (sample := parse_line(line)) is not None)
        for sample in samples:
            if sample.time_s <= self._last_s:
                raise DeviceError(f"expected {self.name}'s time to grow, got {sample.time_s} after {self._last_s}.")
            self._last_s = sample.time_s
        return samples

    def close(self) -> None:
        """End the program."""
        self._process.terminate()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with contextlib.suppress(OSError):
            if self._process.stdout is not None:
                self._process.stdout.close()
