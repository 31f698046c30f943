"""Is it faster to compress? A sample of the files and the rate of the link decide; both are measured."""

from __future__ import annotations

import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pocketbench.harness.deploy.stream import GZIP_LEVEL

__all__ = ["Sample", "sample_of"]

_PIECES = 16
_PIECE_BYTES = 1 << 16
# Below this the time that compression saves is not worth its process on the device.
_WORTHWHILE_RATIO = 0.8


@dataclass(frozen=True, slots=True)
class Sample:
    """How the files compress: compressed per original size, and original bytes per second on this computer."""

    ratio: float
    bytes_per_s: float

    @property
    def compressible(self) -> bool:
        """False for random data and for what is compressed already."""
        return self.ratio < _WORTHWHILE_RATIO

    def pays(self, link_bytes_per_s: float) -> bool:
        """True where a link of that rate is slow enough.

        Compressing and sending take turns: 1 / rate of the compressor + ratio / rate of the link per byte, against
        1 / rate of the link without. The device unpacks meanwhile, several times faster than we pack.
        """
        return self.compressible and link_bytes_per_s < self.bytes_per_s * (1 - self.ratio)


def sample_of(files: Sequence[tuple[Path, int]]) -> Sample:
    """Compress pieces taken evenly from `files`, given with their sizes in bytes; a megabyte at most."""
    total = sum(size for _, size in files)
    before, after = 0, 0
    # Its own processor time: what else runs here now says nothing of the minutes that a slow link takes.
    start = time.thread_time()
    for index in range(_PIECES):
        piece = _piece(files, total * index // _PIECES)
        before, after = before + len(piece), after + len(zlib.compress(piece, GZIP_LEVEL))
    elapsed_s = max(time.thread_time() - start, 1e-9)
    return Sample(after / before if before else 1.0, before / elapsed_s)


def _piece(files: Sequence[tuple[Path, int]], position: int) -> bytes:
    """Bytes at `position` of all files one after the other."""
    for path, size in files:
        if position < size:
            with path.open("rb") as stream:
                stream.seek(position)
                return stream.read(_PIECE_BYTES)
        position -= size
    return b""
