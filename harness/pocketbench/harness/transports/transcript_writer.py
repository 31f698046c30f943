"""Write a transcript, line by line."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import threading
from pathlib import Path

from pocketbench.checked.errors import InputError
from pocketbench.harness.transports.transcript import (
    CONTENT_BYTES,
    INLINE_BYTES,
    TRANSCRIPT_BYTES,
    Bytes,
    Content,
    End,
    Line,
    PullCall,
    PushCall,
    RunCall,
    as_text_or_base64,
    sha256_of,
)

__all__ = ["TranscriptWriter"]

_log = logging.getLogger(__name__)


class TranscriptWriter:
    """Every line is handed to the system, whole, when it is written: what is recorded may end in a crash.

    Where the file would grow over its limit, or cannot be written, recording stops for good, with a warning. Raises
    InputError where `path` exists already or cannot be made.
    """

    def __init__(self, path: Path) -> None:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise InputError(
                f"expected to write a new transcript {path}, got: {error.strerror}. Name a file that is not there yet, "
                "in a folder that can be written."
            ) from error
        self._path = path
        self._stream = os.fdopen(descriptor, "wb", buffering=0)
        self._lock = threading.Lock()  # close() comes from another thread to end a command
        self._digest = hashlib.sha256()
        self._kept: set[str] = set()
        self._calls = self._size = 0
        self._complete = True

    def keep(self, data: bytes) -> Bytes:
        """`data` as a call names it; a large one is written, unless it stands there."""
        named = _named(data)
        if named.sha256 is not None and named.sha256 not in self._kept and len(data) <= CONTENT_BYTES:
            self.write(Content.of(data))
            self._kept.add(named.sha256)
        return named

    def write_call(self, line: RunCall | PushCall | PullCall) -> None:
        """Write a call."""
        if self.write(line):
            self._calls += 1

    def write(self, line: Line) -> bool:
        """Write a line; False where recording has stopped."""
        data = _encode(line)
        with self._lock:
            if self._stream.closed or not self._complete:
                return False
            if self._size + len(data) > TRANSCRIPT_BYTES:
                self._stop(f"it would be larger than {TRANSCRIPT_BYTES} bytes")
                return False
            if not self._put(data):
                return False
            self._digest.update(data)
            self._size += len(data)
            return True

    def close(self) -> None:
        """Write the end; harmless a second time."""
        with self._lock:
            if self._stream.closed:
                return
            try:
                self._put(_encode(End(calls=self._calls, sha256=self._digest.hexdigest(), complete=self._complete)))
            finally:
                self._stream.close()

    def _put(self, data: bytes) -> bool:
        """Write a whole line, or none of it and stop."""
        left = memoryview(data)
        try:
            while left:
                left = left[self._stream.write(left) :]  # a disk that becomes full takes a part
        except OSError as error:
            self._stop(str(error.strerror))
            with contextlib.suppress(OSError):
                self._stream.truncate(self._size)
            return False
        return True

    def _stop(self, reason: str) -> None:
        self._complete = False
        _log.warning("%s: recording stopped: %s", self._path, reason)


def _named(data: bytes) -> Bytes:
    """`data` itself where it is small, else its hash and size."""
    if len(data) <= INLINE_BYTES:
        text, encoded = as_text_or_base64(data)
        return Bytes(text=text, base64=encoded)
    return Bytes(sha256=sha256_of(data), size_bytes=len(data))


def _encode(line: Line) -> bytes:
    """In ASCII, so that nothing of a device reaches the terminal of whoever reads it."""
    return (json.dumps(line.model_dump(mode="json", exclude_none=True)) + "\n").encode("ascii")
