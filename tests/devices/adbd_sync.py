"""The file service of the emulated adbd, both versions of its questions (AOSP daemon/file_sync_service.cpp)."""

from __future__ import annotations

import contextlib
import os
import stat
import struct
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol

__all__ = ["serve_files"]

_HEADER = struct.Struct("<4sI")
_STAT = struct.Struct("<4sIII")
_STAT2 = struct.Struct("<4sIQQIIIIQqqq")
_DATA_BYTES = 1 << 16
_V2 = {b"STA2": "stat_v2", b"LST2": "stat_v2", b"LIS2": "ls_v2"}


class _Stream(Protocol):
    def read(self) -> bytes: ...
    def write(self, data: bytes) -> None: ...


def serve_files(stream: _Stream, path: Callable[[str], Path], features: Collection[str]) -> None:
    """Answer until the host says QUIT or leaves (EOFError)."""
    _Files(stream, path).run(features)


class _Files:
    def __init__(self, stream: _Stream, path: Callable[[str], Path]) -> None:
        self._stream = stream
        self._path = path
        self._buffer = b""

    def run(self, features: Collection[str]) -> None:
        while True:
            kind, length = _HEADER.unpack(self._read(_HEADER.size))
            name = os.fsdecode(self._read(length))
            if kind == b"QUIT":
                return
            if _V2.get(kind, "") not in ("", *features):
                self._fail("unknown command")
                return
            answers = {
                b"STAT": self._stat,
                b"STA2": lambda name: self._stat_v2(b"STA2", name),
                b"LST2": lambda name: self._stat_v2(b"LST2", name),
                b"LIST": lambda name: self._list(name, v2=False),
                b"LIS2": lambda name: self._list(name, v2=True),
                b"RECV": self._receive,
                b"SEND": self._send,
            }
            if kind not in answers:
                self._fail(f"unknown command {kind!r}")
                return
            answers[kind](name)

    def _stat(self, name: str) -> None:
        try:
            found = self._path(name).lstat()
            fields = (found.st_mode, found.st_size & 0xFFFFFFFF, int(found.st_mtime))
        except OSError:
            fields = (0, 0, 0)
        self._stream.write(_STAT.pack(b"STAT", *fields))

    def _stat_v2(self, kind: bytes, name: str) -> None:
        self._stream.write(self._fields_v2(kind, self._path(name), follow=kind == b"STA2"))

    def _fields_v2(self, kind: bytes, path: Path, *, follow: bool) -> bytes:
        try:
            found = path.stat() if follow else path.lstat()
        except OSError as error:
            return _STAT2.pack(kind, error.errno or 5, *(0,) * 10)
        owner = (found.st_nlink, found.st_uid, found.st_gid)
        times = (int(found.st_atime), int(found.st_mtime), int(found.st_ctime))
        return _STAT2.pack(kind, 0, found.st_dev, found.st_ino, found.st_mode, *owner, found.st_size, *times)

    def _list(self, name: str, *, v2: bool) -> None:
        with contextlib.suppress(OSError):
            for path in sorted(self._path(name).iterdir()):
                text = os.fsencode(path.name)
                if v2:
                    head = self._fields_v2(b"DNT2", path, follow=False)
                else:
                    found = path.lstat()
                    head = _STAT.pack(b"DENT", found.st_mode, found.st_size & 0xFFFFFFFF, int(found.st_mtime))
                self._stream.write(head + struct.pack("<I", len(text)) + text)
        # An entry of zeros, as long as any other.
        self._stream.write(b"DONE" + bytes(_STAT2.size if v2 else _STAT.size))

    def _receive(self, name: str) -> None:
        try:
            with self._path(name).open("rb") as reader:
                while data := reader.read(_DATA_BYTES):
                    self._stream.write(_HEADER.pack(b"DATA", len(data)) + data)
        except IsADirectoryError:
            self._fail("read failed: Is a directory")
        except OSError as error:
            self._fail(f"open failed: {error.strerror}")
        else:
            self._stream.write(_HEADER.pack(b"DONE", 0))

    def _send(self, argument: str) -> None:
        name, _, mode = argument.rpartition(",")
        path = self._path(name)
        problem: str | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            writer = path.open("wb", buffering=0)
        except OSError as error:
            writer, problem = None, f"couldn't create file: {error.strerror}"
        try:
            with writer or contextlib.nullcontext():
                while True:
                    kind, number = _HEADER.unpack(self._read(_HEADER.size))
                    if kind == b"DONE":
                        break
                    data = self._read(number)
                    if writer is not None and problem is None:
                        problem = _write(writer.fileno(), data)
        except BaseException:
            path.unlink(missing_ok=True)  # of a transfer that broke off nothing stays
            raise
        if problem is not None:
            if writer is not None:
                path.unlink(missing_ok=True)
            self._fail(problem)
            return
        # adbd gives the group what the owner has, and then others what the group has (do_send).
        permissions = stat.S_IMODE(int(mode)) & 0o777
        permissions |= (permissions >> 3) & 0o070
        permissions |= (permissions >> 3) & 0o007
        path.chmod(permissions)
        os.utime(path, (number, number))
        self._stream.write(_HEADER.pack(b"OKAY", 0))

    def _fail(self, words: str) -> None:
        data = words.encode()
        self._stream.write(_HEADER.pack(b"FAIL", len(data)) + data)

    def _read(self, size: int) -> bytes:
        while len(self._buffer) < size:
            data = self._stream.read()
            if not data:
                raise EOFError
            self._buffer += data
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data


def _write(descriptor: int, data: bytes) -> str | None:
    """Write all of it; what went wrong in adbd's words."""
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError as error:
        return f"write failed: {error.strerror}"
    return None
