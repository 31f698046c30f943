"""The one way to a device: run a command there, put a file, get a file.

A transport is used through `with`. Commands are argument tuples and never strings to be split: where a device has
a shell in between, the transport quotes, once. Anything that comes back is untrusted bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol, Self

from pocketbench.harness.errors import CommandError

__all__ = ["Completed", "Transport", "program_name", "run_checked"]


@dataclass(frozen=True, slots=True)
class Completed:
    """A finished command.

    `exit_code` follows the shell: a command that a signal ended has 128 + the signal's number, and `signal` says
    which (None where it exited by itself). `duration_s` is seen from this side, never a measurement.
    """

    argv: tuple[str, ...]
    exit_code: int
    stdout: bytes
    stderr: bytes
    duration_s: float
    signal: int | None = None


class Transport(Protocol):
    """What every way to a device offers. All paths on the device are absolute.

    The connection is made by the first call that needs it and used by all that follow. Where it breaks, the call
    raises TransportError, and the next call connects again: a device that comes back is taken up again.
    """

    address: str

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes | BinaryIO = b"") -> Completed:
        """Run `argv` on the device; a non-zero exit code is returned, not raised.

        `stdin` is written to the command as it reads it, a file in pieces, and then closed. A command that ends
        without reading all of it is no error.

        Raises DeviceTimeoutError after `timeout_s` (the process and its children are ended first) and
        TransportError where the device cannot be reached.
        """
        ...

    def push(self, source: Path, target: PurePosixPath, *, mode: int = 0o644) -> None:
        """Put the file `source` at `target`: complete and with `mode`, or not at all. Parents must exist."""
        ...

    def pull(self, source: PurePosixPath, target: Path) -> None:
        """Get the file `source` from the device into `target`: complete, or not at all."""
        ...

    def close(self) -> None:
        """Free the connection; harmless a second time."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc_info: object) -> None: ...


def program_name(argv: Sequence[str]) -> str:
    """What a message calls `argv`: its program; of `sh -c SCRIPT NAME …` the name, as the shell itself does."""
    return argv[3] if tuple(argv[:2]) == ("sh", "-c") and len(argv) > 3 else argv[0]


def run_checked(
    transport: Transport, argv: Sequence[str], *, timeout_s: float, stdin: bytes | BinaryIO = b""
) -> Completed:
    """Run `argv` and raise CommandError unless it exits with 0."""
    completed = transport.run(argv, timeout_s=timeout_s, stdin=stdin)
    if completed.exit_code != 0:
        raise CommandError(transport.address, completed)
    return completed
