"""What the emulated adbd does on a stream: shells, and files (AOSP packages/modules/adb, SERVICES.TXT, SYNC.TXT)."""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import subprocess
import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import IO, Protocol

from tests.devices.adbd_sync import serve_files
from tests.devices.processes import children

__all__ = ["HostLeftError", "Machine", "Stream", "serve"]

_PACKET = struct.Struct("<BI")
_STDIN, _STDOUT, _STDERR, _EXIT, _CLOSE_STDIN = range(5)
_READ_BYTES = 1 << 16
# adbd has a pair of sockets there, which hold 208 KiB (socket(7), wmem_default).
_PIPE_BYTES = 1 << 18


class HostLeftError(Exception):
    """The host closed the stream, or is gone."""


class Machine(Protocol):
    """What adbd runs on."""

    def command(self, text: str) -> Sequence[str]:
        """The command of this computer that has the machine's shell run `text` in a session of its own."""
        ...

    def path(self, name: str) -> Path:
        """Where this computer sees the file `name` of the machine."""
        ...


class Stream(Protocol):
    """A stream to the host."""

    def open(self) -> None: ...
    def read(self) -> bytes: ...
    def write(self, data: bytes) -> None: ...


def serve(name: str, stream: Stream, machine: Machine, features: Collection[str], terminal_in_between: bool) -> bool:
    """Serve the service `name` to its end; False where there is none of that name."""
    kind, colon, text = name.partition(":")
    options = kind.split(",")
    if name == "sync:":
        stream.open()
        serve_files(stream, machine.path, features)
    elif colon and options[0] == "shell" and ("v2" not in options or "shell_v2" in features):
        stream.open()
        _Shell(stream, machine.command(text), "v2" in options, with_crlf="v2" not in options).run()
    elif kind == "exec":
        stream.open()
        _Shell(stream, machine.command(text), False, with_crlf=terminal_in_between).run()
    else:
        return False
    return True


class _Shell:
    """A command whose process is hung up when the host leaves (AOSP daemon/shell_service.cpp)."""

    def __init__(self, stream: Stream, argv: Sequence[str], v2: bool, with_crlf: bool) -> None:
        self._stream = stream
        self._v2 = v2
        self._with_crlf = with_crlf
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if v2 else subprocess.STDOUT,
            start_new_session=True,
            pipesize=_PIPE_BYTES,
        )

    def run(self) -> None:
        """See it through; HostLeftError, OSError of the connection."""
        assert self._process.stdin is not None
        outputs = [(self._process.stdout, _STDOUT)] + ([(self._process.stderr, _STDERR)] if self._v2 else [])
        threads = [threading.Thread(target=self._pump, args=output, daemon=True) for output in outputs]
        reader = threading.Thread(target=self._feed, args=(self._process.stdin,), daemon=True)
        for thread in (*threads, reader):
            thread.start()
        for thread in threads:
            thread.join()
        code = self._process.wait()
        if self._v2:
            self._stream.write(_PACKET.pack(_EXIT, 1) + bytes([code if code >= 0 else 128 - code]))

    def _pump(self, output: IO[bytes], kind: int) -> None:
        with output, contextlib.suppress(HostLeftError, OSError):
            while data := os.read(output.fileno(), _READ_BYTES):
                if self._v2:
                    data = _PACKET.pack(kind, len(data)) + data
                elif self._with_crlf:
                    data = data.replace(b"\n", b"\r\n")
                self._stream.write(data)

    def _feed(self, stdin: IO[bytes]) -> None:
        rest = b""
        with contextlib.suppress(OSError):
            while data := self._stream.read():
                if self._v2:
                    rest = self._take_packets(stdin, rest + data if rest else data)
                else:
                    self._give(stdin, data)
        self._hang_up()
        with contextlib.suppress(OSError):
            stdin.close()

    def _take_packets(self, stdin: IO[bytes], data: bytes) -> bytes:
        """Do what the complete packets say; what is left."""
        view = memoryview(data)
        while len(view) >= _PACKET.size:
            kind, length = _PACKET.unpack_from(view)
            if len(view) < _PACKET.size + length:
                break
            packet, view = view[_PACKET.size : _PACKET.size + length], view[_PACKET.size + length :]
            if kind == _STDIN:
                self._give(stdin, packet)
            elif kind == _CLOSE_STDIN:
                stdin.close()
        return bytes(view)

    def _give(self, stdin: IO[bytes], data: bytes | memoryview) -> None:
        """Write to the command; what it does not want is dropped."""
        with contextlib.suppress(BrokenPipeError, ValueError):
            stdin.write(data)
            stdin.flush()

    def _hang_up(self) -> None:
        """As adbd does for the shell alone; nsenter(1) stands in between."""
        if self._process.poll() is None:
            for pid in children(self._process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGHUP)
