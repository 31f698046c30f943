"""Is it faster to compress? A sample of the files and the rate of the link decide; both are measured."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

__all__ = ["is_compressible", "pays"]

_LEVEL = 1
_PIECES = 16
_PIECE_BYTES = 1 << 15
# Below this the time that compression saves is not worth its process on the device.
_WORTHWHILE_RATIO = 0.8
# What the gzip of a device unpacks: GNU and busybox 100 MB/s on a desktop core, on a small core of a phone half of it.
_UNPACKED_BYTES_PER_S = 45e6


def is_compressible(files: Sequence[tuple[Path, int]]) -> bool:
    """False where pieces taken evenly from `files`, given with their sizes in bytes, hardly shrink.

    So it is for random data, and for what is compressed already.
    """
    total = sum(size for _, size in files)
    before, after = 0, 0
    for index in range(_PIECES):
        piece = _piece(files, total * index // _PIECES)
        before, after = before + len(piece), after + len(zlib.compress(piece, _LEVEL))
    return after < _WORTHWHILE_RATIO * before


def pays(link_bytes_per_s: float) -> bool:
    """True where a link is slow enough to compress what is compressible.

    This computer compresses as far as it keeps up with the link (packing.py); the device has to unpack all of it.
    """
    return link_bytes_per_s < _UNPACKED_BYTES_PER_S


def _piece(files: Sequence[tuple[Path, int]], position: int) -> bytes:
    """Bytes at `position` of all files one after the other."""
    for path, size in files:
        if position < size:
            with path.open("rb") as stream:
                stream.seek(position)
                return stream.read(_PIECE_BYTES)
        position -= size
    return b""
