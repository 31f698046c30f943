"""A distance to a port of loopback: everything arrives a while later, in either direction.

`python -m benchmarks.distance PORT DELAY_MS` listens at a port of its own, prints that, and carries each connection to
PORT. Only time is added: no limit to the rate, no loss.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading

__all__ = ["main"]

_HOST = "127.0.0.1"
_READ_BYTES = 1 << 18


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
    """Until one end is over and the last of it has arrived."""
    loop = asyncio.get_running_loop()
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(_READ_BYTES):
            loop.call_later(delay_s, writer.write, data)
    await asyncio.sleep(delay_s)
    writer.close()


async def _serve(port: int, delay_s: float) -> None:
    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(_HOST, port)
        await asyncio.gather(_carry(reader, far_writer, delay_s), _carry(far_reader, writer, delay_s))

    server = await asyncio.start_server(connect, _HOST, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main(port: int, delay_ms: float) -> None:
    """Serve until standard input ends."""
    threading.Thread(target=asyncio.run, args=(_serve(port, delay_ms / 1e3),), daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
