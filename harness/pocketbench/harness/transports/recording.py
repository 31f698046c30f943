"""A transport that writes down everything that goes over another one, for a bug report that can be replayed."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self, TypeVar, cast

from pocketbench.harness.transports.base import Completed, Transport
from pocketbench.harness.transports.transcript import (
    Bytes,
    Failure,
    Header,
    PullCall,
    PushCall,
    Result,
    RunCall,
    error_name,
    plain_text,
    sha256_of,
)
from pocketbench.harness.transports.transcript_writer import TranscriptWriter

__all__ = ["RecordingTransport"]

Value = TypeVar("Value")
_CHUNK_BYTES = 1 << 20


class RecordingTransport:
    """Passes every call on to `inner` and writes it to the new file `path` as it ends; `close` completes the file.

    Where the file would grow over its limit, or the disk is full, recording stops and the calls go on. The file can be
    read by its owner only. Raises InputError at once where it exists already or cannot be made.
    """

    def __init__(self, inner: Transport, path: Path, *, pocketbench_version: str) -> None:
        self.address = inner.address
        self._inner = inner
        self._began_s = time.monotonic()
        self._transcript = TranscriptWriter(path)
        kind = inner.address.partition(":")[0]
        self._transcript.write(Header(pocketbench_version=pocketbench_version, transport=kind))

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes | BinaryIO = b"") -> Completed:
        """As `inner` does; what is fed is written down by its hash only."""
        started_s = self._now_s()
        observed = None if isinstance(stdin, bytes) else _Observed(stdin)
        given = stdin if observed is None else cast(BinaryIO, observed)
        duration_s, completed, error = _timed(lambda: self._inner.run(argv, timeout_s=timeout_s, stdin=given))
        self._transcript.write_call(
            RunCall(
                started_s=started_s,
                argv=tuple(plain_text(str(argument)) for argument in argv),
                timeout_s=timeout_s,
                stdin=observed.seen() if observed else _by_hash(cast(bytes, stdin)),
                duration_s=completed.duration_s if completed else duration_s,
                result=self._result(completed) if completed else None,
                error=_failure(error),
            )
        )
        return _outcome(completed, error)

    def push(self, source: Path, target: PurePosixPath, *, mode: int = 0o644) -> None:
        """As `inner` does; what is pushed is written down by its hash only."""
        digest, size = _hash_file(source)
        started_s = self._now_s()
        duration_s, _, error = _timed(lambda: self._inner.push(source, target, mode=mode))
        self._transcript.write_call(
            PushCall(
                started_s=started_s,
                target=plain_text(str(target)),
                mode=mode,
                sha256=digest,
                size_bytes=size,
                duration_s=duration_s,
                error=_failure(error),
            )
        )
        _outcome(None, error)

    def pull(self, source: PurePosixPath, target: Path) -> None:
        """As `inner` does."""
        started_s = self._now_s()
        duration_s, _, error = _timed(lambda: self._inner.pull(source, target))
        self._transcript.write_call(
            PullCall(
                started_s=started_s,
                source=plain_text(str(source)),
                content=None if error else self._transcript.keep(target.read_bytes()),
                duration_s=duration_s,
                error=_failure(error),
            )
        )
        _outcome(None, error)

    def close(self) -> None:
        """Close `inner`, and complete the transcript."""
        try:
            self._inner.close()
        finally:
            self._transcript.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _now_s(self) -> float:
        return time.monotonic() - self._began_s

    def _result(self, completed: Completed) -> Result:
        return Result(
            exit_code=completed.exit_code,
            signal=completed.signal,
            stdout=self._transcript.keep(completed.stdout),
            stderr=self._transcript.keep(completed.stderr),
        )


class _Observed(io.RawIOBase):
    """A file given as standard input, with size and hash of what was read of it."""

    def __init__(self, inner: BinaryIO) -> None:
        self._inner = inner
        self._digest = hashlib.sha256()
        self._size = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data = self._inner.read(size)
        self._digest.update(data)
        self._size += len(data)
        return data

    def seen(self) -> Bytes:
        """What was read."""
        return Bytes(sha256=self._digest.hexdigest(), size_bytes=self._size)


def _timed(call: Callable[[], Value]) -> tuple[float, Value | None, BaseException | None]:
    """How long it took, and what it returned or raised, Ctrl-C included: it is raised again once it is written down."""
    start = time.monotonic()
    try:
        value = call()
    except BaseException as error:
        return time.monotonic() - start, None, error
    return time.monotonic() - start, value, None


def _outcome(value: Value | None, error: BaseException | None) -> Value:
    if error is not None:
        raise error
    return cast(Value, value)


def _failure(error: BaseException | None) -> Failure | None:
    if error is None:
        return None
    return Failure(name=error_name(error), message=plain_text(str(error)) or type(error).__name__)


def _by_hash(data: bytes) -> Bytes:
    return Bytes(sha256=sha256_of(data), size_bytes=len(data)) if data else Bytes(text="")


def _hash_file(path: Path) -> tuple[str, int]:
    """Hash and size; those of an empty file where it cannot be read, which the push will say."""
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
    except OSError:
        return sha256_of(b""), 0
    return digest.hexdigest(), size
