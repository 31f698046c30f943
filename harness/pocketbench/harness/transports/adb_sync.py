"""Files by the sync service of adbd, which every Android has (AOSP packages/modules/adb, SYNC.TXT).

All numbers are little-endian. A file travels as DATA, length, bytes, again and again, and ends with DONE: unlike a
stream to `cat`, one that breaks off is never taken for a complete file.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import BinaryIO

from pocketbench.harness.transports.adb_link import AdbLink, AdbStream, LinkBrokenError, StreamEndedError
from pocketbench.harness.transports.adb_protocol import AdbProtocolError

__all__ = ["SyncFailedError", "SyncSession", "sync_session"]

_HEADER = struct.Struct("<4sI")
_STAT = struct.Struct("<4sIII")
# What adbd takes at most as one DATA (SYNC_DATA_MAX), as one path, and as one of its messages.
_DATA_BYTES = 1 << 16
_PATH_BYTES = 1024
_MESSAGE_BYTES = 1 << 16
_OPEN_TIMEOUT_S = 30.0


class SyncFailedError(Exception):
    """The device could not read or write the file; `args[0]` has its words."""


class SyncSession:
    """An open sync service. `stall_s` is how long nothing may move."""

    def __init__(self, stream: AdbStream, write_bytes: int, stall_s: float) -> None:
        self._stream = stream
        # As many DATA as fit, sent at once: the device acknowledges each message of its protocol.
        self._batch_bytes = max(1, write_bytes // (_DATA_BYTES + _HEADER.size)) * _DATA_BYTES
        self._stall_s = stall_s
        self._buffer = b""

    def send(self, reader: BinaryIO, target: PurePosixPath) -> int:
        """Write what `reader` has to `target`, and have the phone count it; the number of bytes.

        Raises SyncFailedError, and OSError of `reader`.
        """
        self._request(b"SEND", _path_bytes(target) + b",33206")  # S_IFREG | 0666: the umask of adbd applies
        size = 0
        # A device that cannot write says so at once and may close the stream: its words are there to read.
        with contextlib.suppress(StreamEndedError):
            while batch := reader.read(self._batch_bytes):
                size += len(batch)
                self._write(b"".join(_frames(batch)))
            self._write(_HEADER.pack(b"DONE", 0))  # its number is the time of change
        kind, length = self._receive_header()
        if kind == b"FAIL":
            raise SyncFailedError(self._receive_words(length))
        if kind != b"OKAY":
            raise AdbProtocolError("no answer to a file")
        stored = self._size(target)
        if stored != size & 0xFFFFFFFF:
            raise SyncFailedError(f"{stored} of {size} bytes arrived")
        return size

    def _size(self, path: PurePosixPath) -> int:
        """The size of a file in bytes, without its bits above the 32nd; 0 for none."""
        self._request(b"STAT", _path_bytes(path))
        kind, _, size, _ = _STAT.unpack(self._receive(_STAT.size))
        if kind != b"STAT":
            raise AdbProtocolError("no answer to a question about a file")
        return int(size)

    def receive(self, source: PurePosixPath, writer: BinaryIO) -> None:
        """Write the file `source` to `writer`: it is complete on return. SyncFailedError, OSError of `writer`."""
        self._request(b"RECV", _path_bytes(source))
        while True:
            kind, length = self._receive_header()
            if kind == b"DONE":
                return
            if kind == b"FAIL":
                raise SyncFailedError(self._receive_words(length))
            if kind != b"DATA" or length > _DATA_BYTES:
                raise AdbProtocolError("no part of a file")
            writer.write(self._receive(length))

    def _request(self, kind: bytes, path: bytes) -> None:
        self._write(_HEADER.pack(kind, len(path)) + path)

    def _write(self, data: bytes) -> None:
        self._stream.write(data, self._stall_s)

    def _receive_header(self) -> tuple[bytes, int]:
        kind, length = _HEADER.unpack(self._receive(_HEADER.size))
        return kind, length

    def _receive_words(self, length: int) -> str:
        if length > _MESSAGE_BYTES:
            raise AdbProtocolError(f"a reason of {length} bytes")
        return self._receive(length).decode(errors="replace")

    def _receive(self, size: int) -> bytes:
        while len(self._buffer) < size:
            piece = self._stream.read(self._stall_s)
            if not piece:
                raise LinkBrokenError("the device ended the transfer")
            self._buffer += piece
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data


@contextlib.contextmanager
def sync_session(link: AdbLink, stall_s: float) -> Iterator[SyncSession]:
    """Open the sync service for some files."""
    with contextlib.closing(link.open(b"sync:", _OPEN_TIMEOUT_S)) as stream:
        yield SyncSession(stream, link.write_bytes, stall_s)


def _frames(batch: bytes) -> Iterator[bytes]:
    for start in range(0, len(batch), _DATA_BYTES):
        piece = batch[start : start + _DATA_BYTES]
        yield _HEADER.pack(b"DATA", len(piece))
        yield piece


def _path_bytes(path: PurePosixPath) -> bytes:
    data = str(path).encode(errors="surrogateescape")
    if len(data) > _PATH_BYTES:
        raise SyncFailedError(f"a path of {len(data)} bytes, where a phone takes {_PATH_BYTES}")
    return data
