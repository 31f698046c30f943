"""This computer as a device: commands are subprocesses, transfers are copies."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self

from pocketbench.harness.errors import DeviceTimeoutError, TransportError
from pocketbench.harness.transports.base import Completed, program_name
from pocketbench.harness.transports.feeder import Feeder
from pocketbench.harness.transports.whole_file import whole_file

__all__ = ["LocalTransport"]

# What a command may see of our environment: everything else (thread counts, preloaded libraries, proxies) could change
# what is measured. Messages are English, so that parsers know them.
_INHERITED = ("HOME", "PATH", "TMPDIR", "USER")
_FIXED = {"LANG": "C", "LC_ALL": "C"}

# How long a killed process group may take to let go of its pipes.
_KILL_GRACE_S = 5.0
_PIECE_BYTES = 1 << 16


class LocalTransport:
    """Runs commands on this computer; address `local:`."""

    address = "local:"

    def __init__(self) -> None:
        self._running: subprocess.Popen[bytes] | None = None

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes | BinaryIO = b"") -> Completed:
        """Run `argv` in a process group of its own, so that a timeout ends its children too."""
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ} | _FIXED
        start = time.monotonic()
        try:
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            # As a shell on a remote device would say it: 127 not found, 126 not executable.
            code = 127 if isinstance(error, FileNotFoundError) else 126
            text = f"{argv[0]}: {error.strerror or error}\n"
            return Completed(tuple(argv), code, b"", text.encode(), time.monotonic() - start)
        self._running = process
        try:
            feeder = None if isinstance(stdin, bytes) else _feed(process, stdin)
            stdout, stderr = process.communicate(stdin if isinstance(stdin, bytes) else None, timeout=timeout_s)
            if feeder is not None:
                feeder.finish()
        except subprocess.TimeoutExpired:
            _end_group(process)
            raise DeviceTimeoutError(
                f"{self.address} expected {program_name(argv)!r} to finish within {timeout_s:g} s, got no end: "
                "stopped it."
            ) from None
        except BaseException:  # Ctrl-C: the group is not the terminal's, so nobody else ends it
            _end_group(process)
            raise
        finally:
            self._running = None
        ended_by = -process.returncode if process.returncode < 0 else None
        code = 128 + ended_by if ended_by else process.returncode
        return Completed(tuple(argv), code, stdout, stderr, time.monotonic() - start, ended_by)

    def push(self, source: Path, target: PurePosixPath, *, mode: int = 0o644) -> None:
        """Copy `source` to `target` through a temporary file beside it and a rename."""
        self._copy(source, Path(target), mode)

    def pull(self, source: PurePosixPath, target: Path) -> None:
        """Copy `source` to `target`, likewise."""
        self._copy(Path(source), target, 0o644)

    def close(self) -> None:
        """End what another thread is running; nothing is open between two calls."""
        if (process := self._running) is not None:
            with contextlib.suppress(ProcessLookupError):  # it ended in the meantime
                os.killpg(process.pid, signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _copy(self, source: Path, target: Path, mode: int) -> None:
        try:
            with source.open("rb") as reader, whole_file(target, mode) as writer:
                shutil.copyfileobj(reader, writer, length=1 << 20)
        except OSError as error:
            raise TransportError(
                f"{self.address} expected to copy {source} to {target}, got: {error.strerror or error}."
            ) from error


def _feed(process: subprocess.Popen[bytes], source: BinaryIO) -> Feeder:
    assert process.stdin is not None
    pipe, process.stdin = process.stdin, None  # the feeder's from here on: communicate() would close it
    return Feeder(source, pipe.write, pipe.close, broken=(BrokenPipeError,), piece_bytes=_PIECE_BYTES)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and its children, and collect it."""
    with contextlib.suppress(ProcessLookupError):  # it ended in the meantime
        os.killpg(process.pid, signal.SIGKILL)
    try:
        process.communicate(timeout=_KILL_GRACE_S)
    except subprocess.TimeoutExpired:
        # A descendant left the group and holds the pipes: not ours to wait for.
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        process.wait(timeout=_KILL_GRACE_S)
