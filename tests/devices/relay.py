"""Carries connections to a port of this computer's loopback into a network namespace.

Started inside that namespace as `python relay.py PORT`: its standard input is a socket that listens outside, and PORT
is what to connect to at 127.0.0.1 inside. A server that can only listen on all addresses is thus seen by nobody
else. Nothing here may import anything but the standard library.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading

__all__: list[str] = []


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    for end in (source, target):  # one that breaks breaks the other
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _serve(outside: socket.socket, port: int) -> None:
    try:
        inside = socket.create_connection(("127.0.0.1", port))
    except OSError:
        outside.close()
        return
    with outside, inside:
        for end in (outside, inside):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=_carry, args=(inside, outside), daemon=True)
        back.start()
        _carry(outside, inside)
        back.join()


def main() -> None:
    """Accept until ended."""
    listener, port = socket.socket(fileno=0), int(sys.argv[1])
    while True:
        outside, _ = listener.accept()
        threading.Thread(target=_serve, args=(outside, port), daemon=True).start()


if __name__ == "__main__":
    main()
