"""This computer as a device at the end of a cable that is pulled at a chosen call, or with launches that go wrong.

device = Faulty()
device.cut(at=3, when="after", away=2)      the third call from now: done, but its answer is lost; then away for two
device.at_launch(2, wrap=killed)            the second launch is started by what `killed` makes of its command line
"""

from __future__ import annotations

import contextlib
import io
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal, NoReturn, TypeVar

from pocketbench.harness.errors import DeviceTimeoutError, TransportError
from pocketbench.harness.transports.base import Completed
from pocketbench.harness.transports.local import LocalTransport

__all__ = ["FOR_GOOD", "Alter", "Faulty", "When", "Wrap", "started_by"]

When = Literal["before", "middle", "after"]
Wrap = Callable[[Sequence[str]], Sequence[str]]
Alter = Callable[[Completed], Completed]
Same = TypeVar("Same")
FOR_GOOD = 1 << 30
# Of a command that is cut in the middle and is given nothing that could be cut: long enough to have begun.
_BEGUN_S = 0.004


def _as_it_is(what: Same) -> Same:
    return what


class Faulty(LocalTransport):
    """Address `ssh://board`. `wrap` changes every command line that it runs."""

    address = "ssh://board"

    def __init__(self) -> None:
        super().__init__()
        self.wrap: Wrap = _as_it_is
        self._calls = self._at = self._away_after = self._away = 0
        self._when: When = "before"
        self._launches = 0
        self._bad_launch = 0
        self._wrap_launch: Wrap = _as_it_is
        self._alter_launch: Alter = _as_it_is

    def cut(self, *, at: int, when: When, away: int) -> None:
        """Lose the connection at the call number `at` from now, and for the `away` calls after it."""
        self._calls, self._at, self._when, self._away_after, self._away = 0, at, when, away, 0

    def plug_in(self) -> None:
        """Whatever was ordered is over."""
        self._at = self._away = 0

    @property
    def was_cut(self) -> bool:
        """Whether the call of the last `cut` came."""
        return self._calls >= self._at

    def at_launch(self, number: int, *, wrap: Wrap = _as_it_is, alter: Alter = _as_it_is) -> None:
        """Change the command line of a launch, or what comes back from it."""
        self._bad_launch, self._wrap_launch, self._alter_launch = number, wrap, alter

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes | BinaryIO = b"") -> Completed:
        """As LocalTransport does, until it is cut."""
        cut = self._next()
        self._launches += "bench" in argv
        bad = "bench" in argv and self._launches == self._bad_launch
        argv = self.wrap(self._wrap_launch(argv) if bad else argv)
        if cut == "before":
            _pulled()
        if cut == "middle":
            self._begin(argv, timeout_s, stdin)
            _pulled()
        completed = super().run(argv, timeout_s=timeout_s, stdin=stdin)
        if cut == "after":
            _pulled()
        return self._alter_launch(completed) if bad else completed

    def push(self, source: Path, target: PurePosixPath, *, mode: int = 0o644) -> None:
        """As LocalTransport does, until it is cut; in the middle, half of it stays under another name."""
        cut = self._next()
        if cut == "middle":
            data = source.read_bytes()
            Path(target.with_name(f".pocketbench-{secrets.token_hex(8)}")).write_bytes(data[: len(data) // 2])
        if cut in ("before", "middle"):
            _pulled()
        super().push(source, target, mode=mode)
        if cut == "after":
            _pulled()

    def pull(self, source: PurePosixPath, target: Path) -> None:
        """As LocalTransport does, until it is cut: then there is no file here, however much of it had come."""
        if self._next() is not None:
            _pulled()
        super().pull(source, target)

    def _next(self) -> When | None:
        """How this call is cut; None where it is not."""
        if self._away > 0:
            self._away -= 1
            raise TransportError("board: expected an answer, got none: is it switched on?")
        self._calls += 1
        if self._calls != self._at:
            return None
        self._away = self._away_after
        return self._when

    def _begin(self, argv: Sequence[str], timeout_s: float, stdin: bytes | BinaryIO) -> None:
        """Half of what it is given, and then the end of the input; without input, killed as it begins."""
        data = stdin if isinstance(stdin, bytes) else stdin.read()
        if data:
            half = data[: len(data) // 2]
            super().run(argv, timeout_s=timeout_s, stdin=half if isinstance(stdin, bytes) else io.BytesIO(half))
            return
        with contextlib.suppress(DeviceTimeoutError):
            super().run(argv, timeout_s=_BEGUN_S)


def started_by(*prefix: str, endless: bool = False) -> Wrap:
    """Start the runner by the command `prefix`; an `endless` launch goes on for a minute."""

    def wrap(argv: Sequence[str]) -> Sequence[str]:
        runner = next(index for index, word in enumerate(argv) if word.endswith("/pocketbench-runner"))
        argv = [*argv[:runner], *prefix, *argv[runner:]]
        for option in ("--min-time-ms", "--max-time-ms") if endless else ():
            argv[argv.index(option) + 1] = "60000"
        return argv

    return wrap


def _pulled() -> NoReturn:
    raise TransportError("board: the cable was pulled")
