"""A transport that writes down everything that goes over another one, for a bug report that can be replayed."""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self, TypeVar, cast

from pocketbench.checked.errors import InputError
from pocketbench.harness.transports.base import Completed, Transport
from pocketbench.harness.transports.transcript import (
    CONTENT_BYTES,
    INLINE_BYTES,
    TRANSCRIPT_BYTES,
    Bytes,
    Content,
    End,
    Failure,
    Header,
    Line,
    PullCall,
    PushCall,
    Result,
    RunCall,
    as_text_or_base64,
    error_name,
    sha256_of,
)

__all__ = ["RecordingTransport"]

Value = TypeVar("Value")
_CHUNK_BYTES = 1 << 20


class RecordingTransport:
    """Passes every call on to `inner` and writes it to the new file `path`, each as it ends; `close` completes the file.

    Where the file would grow over its limit recording stops and the calls go on. The file is readable by its owner only.
    Raises InputError at once where it exists already or cannot be written.
    """

    def __init__(self, inner: Transport, path: Path, *, pocketbench_version: str) -> None:
        self.address = inner.address
        self._inner = inner
        self._file = _TranscriptFile(path)
        kind = inner.address.partition(":")[0]
        self._file.write(Header(pocketbench_version=pocketbench_version, transport=kind))

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes | BinaryIO = b"") -> Completed:
        """As `inner` does."""
        given = stdin if isinstance(stdin, bytes) else _Observed(stdin)
        start = time.monotonic()
        result: Result | None = None
        failure: Failure | None = None
        try:
            completed = self._inner.run(
                argv, timeout_s=timeout_s, stdin=given if isinstance(given, bytes) else cast(BinaryIO, given)
            )
            result = Result(
                exit_code=completed.exit_code,
                signal=completed.signal,
                stdout=self._file.keep(completed.stdout),
                stderr=self._file.keep(completed.stderr),
            )
            return completed
        except BaseException as error:
            failure = _failure(error)
            raise
        finally:
            self._file.write_call(
                RunCall(
                    argv=tuple(map(str, argv)),
                    timeout_s=timeout_s,
                    stdin=_bytes(given) if isinstance(given, bytes) else given.seen(),
                    duration_s=time.monotonic() - start,
                    result=result,
                    error=failure,
                )
            )

    def push(self, source: Path, target: PurePosixPath, *, mode: int = 0o644) -> None:
        """As `inner` does; what is pushed is written down by its hash only."""
        digest, size = _hash_file(source)
        duration_s, failure = self._timed(lambda: self._inner.push(source, target, mode=mode))
        self._file.write_call(
            PushCall(
                target=str(target),
                mode=mode,
                sha256=digest,
                size_bytes=size,
                duration_s=duration_s,
                error=_failure(failure) if failure else None,
            )
        )
        if failure is not None:
            raise failure

    def pull(self, source: PurePosixPath, target: Path) -> None:
        """As `inner` does."""
        duration_s, failure = self._timed(lambda: self._inner.pull(source, target))
        self._file.write_call(
            PullCall(
                source=str(source),
                content=None if failure else self._file.keep(target.read_bytes()),
                duration_s=duration_s,
                error=_failure(failure) if failure else None,
            )
        )
        if failure is not None:
            raise failure

    def close(self) -> None:
        """Close `inner`, and complete the transcript."""
        try:
            self._inner.close()
        finally:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _timed(self, call: Callable[[], None]) -> tuple[float, BaseException | None]:
        start = time.monotonic()
        try:
            call()
        except BaseException as error:  # raised again after it is written down
            return time.monotonic() - start, error
        return time.monotonic() - start, None


class _TranscriptFile:
    """Lines are on their way to the disk as soon as they are written: what is recorded may end in a crash."""

    def __init__(self, path: Path) -> None:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise InputError(
                f"expected to write a new transcript {path}, got: {error.strerror}. Name a file that is not there yet, "
                "in a folder that can be written."
            ) from error
        self._stream = os.fdopen(descriptor, "wb")
        self._digest = hashlib.sha256()
        self._kept: set[str] = set()
        self._calls = self._size = 0
        self._full = False

    def keep(self, data: bytes) -> Bytes:
        """`data` as a call names it; a large one is written, unless it stands there."""
        small = _bytes(data)
        if small.sha256 is not None and small.sha256 not in self._kept and len(data) <= CONTENT_BYTES:
            self.write(Content(sha256=small.sha256, **as_text_or_base64(data)))
            self._kept.add(small.sha256)
        return small

    def write_call(self, line: RunCall | PushCall | PullCall) -> None:
        """Write a call."""
        if self.write(line):
            self._calls += 1

    def write(self, line: Line) -> bool:
        """Write a line; False where the file is full or closed, from then on."""
        text = _encode(line)
        self._full = self._full or self._size + len(text) > TRANSCRIPT_BYTES
        if self._full or self._stream.closed:
            return False
        self._digest.update(text)
        self._size += len(text)
        self._stream.write(text)
        self._stream.flush()
        return True

    def close(self) -> None:
        """Write the end; harmless a second time."""
        if not self._stream.closed:
            end = End(calls=self._calls, sha256=self._digest.hexdigest(), stopped_at_limit=self._full)
            self._stream.write(_encode(end))
            self._stream.close()


class _Observed(io.RawIOBase):
    """A file given as standard input, with size, hash and beginning of what was read of it."""

    def __init__(self, inner: BinaryIO) -> None:
        self._inner = inner
        self._digest = hashlib.sha256()
        self._beginning = b""
        self._size = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data = self._inner.read(size)
        self._digest.update(data)
        self._size += len(data)
        self._beginning += data[: INLINE_BYTES - len(self._beginning)]
        return data

    def seen(self) -> Bytes:
        if self._size <= INLINE_BYTES:
            return _bytes(self._beginning)
        return Bytes(sha256=self._digest.hexdigest(), size_bytes=self._size)


def _bytes(data: bytes) -> Bytes:
    if len(data) <= INLINE_BYTES:
        return Bytes(**as_text_or_base64(data))
    return Bytes(sha256=sha256_of(data), size_bytes=len(data))


def _encode(line: Line) -> bytes:
    """In ASCII, so that nothing of a device reaches the reader's terminal."""
    return (line.model_dump_json(exclude_none=True, ensure_ascii=True) + "\n").encode("ascii")


def _failure(error: BaseException) -> Failure:
    return Failure(name=error_name(error), message=str(error) or type(error).__name__)


def _hash_file(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise InputError(f"expected a readable file to push, got {path}: {error.strerror}.") from error
    return digest.hexdigest(), size
