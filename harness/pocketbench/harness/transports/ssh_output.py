"""Where the output of a command goes: kept in memory up to a bound, or written to a file from its mark on."""

from __future__ import annotations

from typing import BinaryIO

from pocketbench.harness.transports.remote_shell import RemoteCommand

__all__ = ["FileOutput", "KeptOutput", "TooMuchOutputError"]

# The most samples that a launch can have (SAMPLE_LIMIT in runner/src/bench.c), and half a megabyte of other words.
_KEPT_BYTES = (1 << 26) + (1 << 19)
_MARK_BYTES = 200  # longer than any mark, so that one in two pieces is found


class TooMuchOutputError(Exception):
    """A command wrote more than anybody expects; `args[0]` says on which stream."""


class KeptOutput:
    """Everything that came on one stream, noise of login scripts included."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._pieces = bytearray()

    @property
    def data(self) -> bytes:
        """What has come so far."""
        return bytes(self._pieces)

    def add(self, piece: bytes) -> None:
        """Take up `piece`; TooMuchOutputError beyond 64 MiB."""
        if len(self._pieces) + len(piece) > _KEPT_BYTES:
            raise TooMuchOutputError(f"more than {_KEPT_BYTES >> 20} MiB on {self._name}")
        self._pieces += piece


class FileOutput:
    """What comes after the mark of `command` goes to `file`; noise before it is dropped."""

    def __init__(self, command: RemoteCommand, file: BinaryIO) -> None:
        self._command = command
        self._file = file
        self._started = False
        self.data = b""
        """The mark and a little around it: it names the process."""

    def add(self, piece: bytes) -> None:
        """Take up `piece`; OSError where the file cannot be written."""
        if self._started:
            self._file.write(piece)
            return
        window = self.data + piece
        self._started = self._command.process_id(window) is not None
        if self._started:
            rest = self._command.output(window)
            self.data = window[: len(window) - len(rest)]
            self._file.write(rest)
        else:
            self.data = window[-_MARK_BYTES:]
