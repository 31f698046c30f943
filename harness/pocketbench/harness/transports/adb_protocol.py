"""The shell protocol v2 of ADB: one stream that carries standard input, output, error and the exit code.

A packet is one byte of kind, four bytes of length (little-endian) and the data. Kinds and their meaning are those of
AOSP packages/modules/adb, shell_protocol.h. Devices have it since Android 7 (feature `shell_v2`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable

__all__ = ["CLOSE_STDIN", "AdbProtocolError", "ShellDecoder", "stdin_packet"]

_HEADER = struct.Struct("<BI")
_STDIN, _STDOUT, _STDERR, _EXIT, _CLOSE_STDIN = range(5)
# adbd fills packets up to its largest message, 1 MiB; anything far beyond is no shell protocol.
_PACKET_BYTES = 1 << 24

CLOSE_STDIN = _HEADER.pack(_CLOSE_STDIN, 0)


class AdbProtocolError(Exception):
    """The other end sent what the protocol does not allow; `args[0]` says what."""


def stdin_packet(data: bytes) -> bytes:
    """`data` for the standard input of the command."""
    return _HEADER.pack(_STDIN, len(data)) + data


class ShellDecoder:
    """Takes the stream of a device apart, however it is cut in pieces; the data itself is never held here."""

    def __init__(self, on_output: Callable[[bytes], None], on_errors: Callable[[bytes], None]) -> None:
        self._sinks = {_STDOUT: on_output, _STDERR: on_errors, _EXIT: self._take_exit}
        self._header = b""
        self._sink: Callable[[bytes], None] = on_output
        self._left = 0
        self.exit_code: int | None = None
        """What the command ended with; None until the packet that says so has come."""

    def feed(self, data: bytes) -> None:
        """Hand on what `data` holds. AdbProtocolError where it is no shell protocol, and whatever a sink raises."""
        view = memoryview(data)
        while view and self.exit_code is None:
            if self._left == 0:
                view = self._take_header(view)
            else:
                piece, view = view[: self._left], view[self._left :]
                self._left -= len(piece)
                self._sink(bytes(piece))

    def _take_header(self, view: memoryview) -> memoryview:
        missing = _HEADER.size - len(self._header)
        self._header += view[:missing]
        if len(self._header) == _HEADER.size:
            kind, length = _HEADER.unpack(self._header)
            self._header = b""
            self._check(kind, length)
            self._sink, self._left = self._sinks[kind], length
        return view[missing:]

    def _check(self, kind: int, length: int) -> None:
        if kind not in self._sinks:
            raise AdbProtocolError(f"a packet of kind {kind}, which no device sends")
        if length > _PACKET_BYTES:
            raise AdbProtocolError(f"a packet of {length} bytes")
        if kind == _EXIT and length != 1:
            raise AdbProtocolError(f"an exit code of {length} bytes")

    def _take_exit(self, data: bytes) -> None:
        self.exit_code = data[0]
