"""How far a transfer is: bytes of files, and bytes on the wire, which are fewer where they are compressed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Meter", "Progress", "ProgressCallback"]

_INTERVAL_S = 0.1


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


ProgressCallback = Callable[[Progress], None]


class Meter:
    """Counts, and tells a callback ten times a second at most, from whatever thread reads what is sent."""

    def __init__(self, total_bytes: int, resumed_bytes: int, tell: ProgressCallback | None) -> None:
        self._total_bytes, self._resumed_bytes, self._tell = total_bytes, resumed_bytes, tell
        self._file_bytes, self._wire_bytes = resumed_bytes, 0
        self._start_s = time.monotonic()
        self._told_s = self._start_s

    def add_file_bytes(self, count: int) -> None:
        """`count` bytes of files were read to be sent."""
        self._file_bytes += count

    def add_wire_bytes(self, count: int) -> None:
        """`count` bytes were handed to the transport."""
        self._wire_bytes += count
        if time.monotonic() - self._told_s >= _INTERVAL_S:
            self.tell()

    def tell(self) -> None:
        """Tell where the transfer is now."""
        self._told_s = time.monotonic()
        if self._tell is not None:
            elapsed_s = self._told_s - self._start_s
            self._tell(Progress(self._file_bytes, self._total_bytes, self._resumed_bytes, self._wire_bytes, elapsed_s))
