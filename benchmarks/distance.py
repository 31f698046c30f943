"""A distance to a port of loopback: everything arrives a while later, and no faster than a link carries, either way.

`python -m benchmarks.distance PORT DELAY_MS [BYTES_PER_S]` listens at a port of its own, prints that, and carries each
connection to PORT. Each direction has its own BYTES_PER_S, a token bucket of a few milliseconds; nothing is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading
from dataclasses import dataclass

__all__ = ["main"]

_HOST = "127.0.0.1"
_READ_BYTES = 1 << 18
# With a limit: pieces that take a millisecond on the fastest link, and little room in the kernel. Otherwise it takes
# tens of megabytes at once (tcp(7), tcp_rmem), which no cable does.
_LIMITED_READ_BYTES = 1 << 16
_KERNEL_BYTES = 1 << 17
# What is on its way at most: far more than any link here carries within its delay.
_MOST_PIECES = 1024
# What an idle link saves up. asyncio sleeps whole milliseconds, so less would make the link slower than it says.
_BURST_S = 4e-3


@dataclass(frozen=True, slots=True)
class _Link:
    delay_s: float
    bytes_per_s: float | None


class _Bucket:
    """When a link that carries so many bytes a second is free again."""

    def __init__(self, bytes_per_s: float) -> None:
        self._bytes_per_s = bytes_per_s
        self._free_s = 0.0

    async def pass_through(self, count: int) -> None:
        """Return when the last of `count` bytes has passed."""
        now_s = asyncio.get_running_loop().time()
        self._free_s = max(self._free_s, now_s - _BURST_S) + count / self._bytes_per_s
        if self._free_s > now_s:
            await asyncio.sleep(self._free_s - now_s)


# A piece with the time at which it arrives; b"" is the end.
_Pieces = asyncio.Queue[tuple[float, bytes]]


async def _depart(reader: asyncio.StreamReader, pieces: _Pieces, link: _Link) -> None:
    bucket = None if link.bytes_per_s is None else _Bucket(link.bytes_per_s)
    data = b"more"
    while data:
        try:
            data = await reader.read(_READ_BYTES if bucket is None else _LIMITED_READ_BYTES)
        except ConnectionError:
            data = b""
        if bucket is not None:
            await bucket.pass_through(len(data))
        await pieces.put((asyncio.get_running_loop().time() + link.delay_s, data))


async def _arrive(pieces: _Pieces, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            due_s, data = await pieces.get()
            wait_s = due_s - asyncio.get_running_loop().time()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            if not data:
                break
            writer.write(data)
            await writer.drain()
    writer.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: _Link) -> None:
    """Until one end is over and the last of it has arrived."""
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    pieces = _Pieces(_MOST_PIECES)
    departing = asyncio.create_task(_depart(reader, pieces, link))
    await _arrive(pieces, writer)
    departing.cancel()


async def _serve(port: int, link: _Link) -> None:
    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far = _socket(link)
        await asyncio.get_running_loop().sock_connect(far, (_HOST, port))
        far_reader, far_writer = await asyncio.open_connection(sock=far)
        await asyncio.gather(_carry(reader, far_writer, link), _carry(far_reader, writer, link))

    listening = _socket(link)  # what is accepted has its buffers
    listening.bind((_HOST, 0))
    server = await asyncio.start_server(connect, sock=listening)
    print(listening.getsockname()[1], flush=True)
    await server.serve_forever()


def _socket(link: _Link) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setblocking(False)
    if link.bytes_per_s is not None:
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            made.setsockopt(socket.SOL_SOCKET, option, _KERNEL_BYTES)
    return made


def main(port: int, delay_ms: float, bytes_per_s: float | None) -> None:
    """Serve until standard input ends."""
    link = _Link(delay_ms / 1e3, bytes_per_s)
    threading.Thread(target=asyncio.run, args=(_serve(port, link),), daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else None)
