"""How far a transfer is: bytes of files, and bytes on the wire, which are fewer where they are compressed.

A `Progress` is also what the command line shows of long work: a message, how much of how much, the time left.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from pocketbench.harness.deploy.space import megabytes

__all__ = ["Meter", "Progress", "ProgressCallback"]

_INTERVAL_S = 0.1
# Headers and padding make the wire carry more than the files; clearly fewer bytes were compressed.
_COMPRESSED_RATIO = 0.97


@dataclass(frozen=True, slots=True)
class Progress:
    """A moment of a transfer. `resumed_bytes` are those that an earlier attempt had brought, part of `file_bytes`."""

    file_bytes: int
    file_bytes_total: int
    resumed_bytes: int
    wire_bytes: int
    elapsed_s: float

    @property
    def file_bytes_per_s(self) -> float:
        """Rate at which files arrive."""
        return (self.file_bytes - self.resumed_bytes) / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def wire_bytes_per_s(self) -> float:
        """Rate at which bytes travel."""
        return self.wire_bytes / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def sent_bytes(self) -> int:
        """Bytes of files that this transfer has brought."""
        return self.file_bytes - self.resumed_bytes

    @property
    def message(self) -> str:
        """Where it is, for people."""
        if self.file_bytes == self.file_bytes_total:
            return f"{megabytes(self.file_bytes)} sent, the device verifies them"
        rate = f"{self.file_bytes_per_s / 1e6:.1f} MB/s"
        wire = f", {self.wire_bytes_per_s / 1e6:.1f} MB/s compressed on the wire" if self._is_compressed else ""
        return f"{self.file_bytes / 1e6:.1f} of {megabytes(self.file_bytes_total)}, {rate}{wire}"

    @property
    def done(self) -> float:
        """Bytes that have arrived."""
        return self.file_bytes

    @property
    def total(self) -> float:
        """Bytes that are to arrive."""
        return self.file_bytes_total

    @property
    def seconds_left(self) -> float | None:
        """At the rate up to now; None before there is one, and while the device verifies."""
        if self.sent_bytes == 0 or self.elapsed_s == 0 or self.file_bytes == self.file_bytes_total:
            return None
        return (self.file_bytes_total - self.file_bytes) / self.file_bytes_per_s

    def summary(self) -> str:
        """What was sent, once all is there and verified."""
        if self.file_bytes_total == self.resumed_bytes:
            return "nothing to send"
        wire = f", {megabytes(self.wire_bytes)} compressed on the wire" if self._is_compressed else ""
        earlier = f"; {megabytes(self.resumed_bytes)} were there of an earlier attempt" if self.resumed_bytes else ""
        return f"sent {megabytes(self.sent_bytes)} in {self.elapsed_s:.1f} s{wire}{earlier}"

    @property
    def _is_compressed(self) -> bool:
        return 0 < self.wire_bytes < _COMPRESSED_RATIO * self.sent_bytes


ProgressCallback = Callable[[Progress], None]


class Meter:
    """Counts, and tells a callback ten times a second at most, from whatever thread reads what is sent."""

    def __init__(self, total_bytes: int, resumed_bytes: int, tell: ProgressCallback | None) -> None:
        self._total_bytes, self._resumed_bytes, self._tell = total_bytes, resumed_bytes, tell
        self._file_bytes, self._wire_bytes = resumed_bytes, 0
        self._start_s = time.monotonic()
        self._told_s = self._start_s
        self._told_bytes = -1

    def add_file_bytes(self, count: int) -> None:
        """`count` bytes of files were read to be sent."""
        self._file_bytes += count

    def add_wire_bytes(self, count: int) -> None:
        """`count` bytes were handed to the transport."""
        self._wire_bytes += count
        is_news = self._file_bytes == self._total_bytes != self._told_bytes  # verifying begins
        if is_news or time.monotonic() - self._told_s >= _INTERVAL_S:
            self.tell()

    def tell(self) -> None:
        """Tell where the transfer is now."""
        self._told_s, self._told_bytes = time.monotonic(), self._file_bytes
        if self._tell is not None:
            elapsed_s = self._told_s - self._start_s
            self._tell(Progress(self._file_bytes, self._total_bytes, self._resumed_bytes, self._wire_bytes, elapsed_s))
