"""A stream that is compressed as far as there is time: the link is not kept waiting for the compressor.

The format is gzip, which devices can unpack. Threads compress its blocks ahead, each at a level of its own. How fast
the link is says how long what was handed over lasts it: a block that is not ready by then goes as it is; where that
lasts for long, the next one is compressed better. So a computer that is slower than the link does not hold it up.
"""

from __future__ import annotations

import os
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

__all__ = ["gzip_chunks"]

# What a deflate block can hold as it is (RFC 1951, 3.2.4), and a few of them: each of our blocks starts without
# knowledge of the one before, which at this size costs less than half a percent.
_STORED_BYTES = (1 << 16) - 1
_BLOCK_BYTES = 4 * _STORED_BYTES
# An engine's library shrinks to 0.42 at zlib's level 1, and to 0.38 at level 6, which takes more than twice as long.
_FAST_LEVEL = 1
_BETTER_LEVEL = 6
# The computer does something else as well: it may be measuring on itself.
_MOST_THREADS = 4
# Blocks ahead, beside those that the threads work on.
_AHEAD = 4
# A block that is compressed better takes that long on a slow computer.
_BETTER_S = 40e-3
# RFC 1952: deflate, no flags, no time, no extra flags, unknown system. RFC 1951: a last block without content.
_HEADER = bytes.fromhex("1f8b08000000000000ff")
_LAST_BLOCK = bytes.fromhex("0300")


def gzip_chunks(chunks: Iterable[bytes], link_bytes_per_s: float) -> Iterator[bytes]:
    """`chunks` compressed for a link of that rate, of which buffers may take much more at once."""
    threads = min(_MOST_THREADS, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads, "pocketbench-gzip") as pool:
        yield from _Packer(chunks, pool.submit, threads + _AHEAD, link_bytes_per_s).run()


class _Packer:
    def __init__(
        self,
        chunks: Iterable[bytes],
        submit: Callable[..., Future[bytes]],
        most_pending: int,
        link_bytes_per_s: float,
    ) -> None:
        self._blocks = _blocks(chunks)
        self._submit, self._most_pending = submit, most_pending
        self._link_bytes_per_s = link_bytes_per_s
        self._pending: deque[tuple[bytes, Future[bytes]]] = deque()
        self._crc, self._size = zlib.crc32(b""), 0
        # When the link will have carried all that was handed over.
        self._idle_s = time.monotonic()

    def run(self) -> Iterator[bytes]:
        yield _HEADER
        self._fill()
        while self._pending:
            data = self._packed(*self._pending.popleft())
            self._idle_s = max(self._idle_s, time.monotonic()) + len(data) / self._link_bytes_per_s
            yield data
            self._fill()
        yield _LAST_BLOCK + self._crc.to_bytes(4, "little") + (self._size & 0xFFFFFFFF).to_bytes(4, "little")

    def _left_s(self) -> float:
        return max(0.0, self._idle_s - time.monotonic())

    def _packed(self, block: bytes, future: Future[bytes]) -> bytes:
        try:
            return future.result(self._left_s())
        except TimeoutError:
            future.cancel()
            return _stored(block)

    def _fill(self) -> None:
        while len(self._pending) < self._most_pending and (block := next(self._blocks, None)) is not None:
            self._crc = zlib.crc32(block, self._crc)
            self._size += len(block)
            deflate = _better if self._left_s() > _BETTER_S and self._are_ready() else _fast
            self._pending.append((block, self._submit(deflate, block)))

    def _are_ready(self) -> bool:
        return sum(future.done() for _, future in self._pending) >= _AHEAD


def _blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of one size: the header of a small file is not worth a block."""
    block = bytearray()
    for chunk in chunks:
        block += chunk
        while len(block) >= _BLOCK_BYTES:
            yield bytes(block[:_BLOCK_BYTES])
            del block[:_BLOCK_BYTES]
    if block:
        yield bytes(block)


def _stored(block: bytes) -> bytes:
    """RFC 1951, 3.2.4: not the last, stored; length and its complement."""
    pieces = []
    for start in range(0, len(block), _STORED_BYTES):
        piece = block[start : start + _STORED_BYTES]
        pieces += [b"\0", len(piece).to_bytes(2, "little"), (len(piece) ^ 0xFFFF).to_bytes(2, "little"), piece]
    return b"".join(pieces)


def _fast(block: bytes) -> bytes:
    return _deflated(block, _FAST_LEVEL)


def _better(block: bytes) -> bytes:
    return _deflated(block, _BETTER_LEVEL)


def _deflated(block: bytes, level: int) -> bytes:
    """Whole bytes that end within a deflate stream (zlib.h, Z_SYNC_FLUSH)."""
    compressor = zlib.compressobj(level, wbits=-zlib.MAX_WBITS)
    return compressor.compress(block) + compressor.flush(zlib.Z_SYNC_FLUSH)
