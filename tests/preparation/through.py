"""A transport that goes through another one, to change what goes that way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self

from pocketbench.harness.transports.base import Completed, Transport

__all__ = ["Through"]


class Through:
    """Changes nothing by itself."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.address = inner.address

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes | BinaryIO = b"") -> Completed:
        return self._inner.run(argv, timeout_s=timeout_s, stdin=stdin)

    def push(self, source: Path, target: PurePosixPath, *, mode: int = 0o644) -> None:
        self._inner.push(source, target, mode=mode)

    def pull(self, source: PurePosixPath, target: Path) -> None:
        self._inner.pull(source, target)

    def close(self) -> None:
        self._inner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
