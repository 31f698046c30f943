"""One command over one channel: its input is sent while both of its outputs are read, each within bounds."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO

import paramiko

from pocketbench.harness.transports.feeder import Feeder

__all__ = ["BrokenError", "Exchange", "ExpiredError", "Patience", "close_channel", "for_any_login_shell"]

# What fits a packet of 32 KiB, the most that OpenSSH takes, beside paramiko's 64 bytes of header (Channel.send).
_PIECE_BYTES = (1 << 15) - 64
_READ_BYTES = 1 << 18
_POLL_S = 0.5
# What a channel raises where the command has ended or the connection is gone.
_GONE = (OSError, EOFError, paramiko.SSHException)
# What no shell and no printf gives a meaning to.
_PLAIN = re.compile(rb"[A-Za-z0-9 _./:=,@+-]")


class ExpiredError(Exception):
    """The time that the caller allowed is over; the channel is still open."""


class BrokenError(Exception):
    """No exit code came: the connection broke, the server refused, or a signal ended the shell there."""


class Patience:
    """How long to wait: `total_s` from now, or as long as something moves at least every `stall_s`."""

    def __init__(self, *, total_s: float | None = None, stall_s: float | None = None) -> None:
        self._renewed = stall_s is not None
        self._seconds = total_s if total_s is not None else stall_s if stall_s is not None else 0.0
        self._since = time.monotonic()

    def left_s(self) -> float:
        """Seconds that are left, 0 where it is over."""
        return max(0.0, self._since + self._seconds - time.monotonic())

    def moved(self) -> None:
        """Something moved."""
        if self._renewed:
            self._since = time.monotonic()


# OpenSSH's sshd gives a command a process group of its own, which a timeout needs to end it with its children; dropbear
# does not, so setsid(1) has to where the board has it. The fifth word of proc_pid_stat(5) is the group: a child
# reads it, because qemu-user shows a program zeros of its own, and setsid of a group's leader would fork and say 0.
_START = (
    'script="$(printf %b "{}")"; group=$(read -r pid name state parent group rest </proc/$$/stat; echo $group); '
    'case $group in $$) ;; *) command -v setsid >/dev/null && exec setsid /bin/sh -c "$script" ;; esac; eval "$script"'
)


def for_any_login_shell(script: str) -> str:
    """A command line that has /bin/sh run `script` on a device whose user may have any shell (fish, csh, …).

    Shells differ in what they do with backslashes, `!` and line ends between quotes; so everything in it that is not
    plain is written as an octal number, which the printf of a POSIX shell turns back.
    """
    text = "".join(
        chr(byte) if _PLAIN.fullmatch(bytes((byte,))) else f"\\0{byte:03o}"
        for byte in script.encode(errors="surrogateescape")
    )
    return f"exec /bin/sh -c '{_START.format(text)}'"


def close_channel(channel: paramiko.Channel) -> None:
    """Close `channel`; where the connection breaks just then, there is nobody left to tell."""
    with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
        channel.close()


class Exchange:
    """A command on `channel`. What arrives goes to `on_output` and `on_errors` in pieces; both may raise to end it."""

    def __init__(
        self,
        channel: paramiko.Channel,
        *,
        stdin: bytes | BinaryIO,
        on_output: Callable[[bytes], None],
        on_errors: Callable[[bytes], None],
        patience: Patience,
    ) -> None:
        self._channel = channel
        self._stdin = stdin
        self._on_output = on_output
        self._on_errors = on_errors
        self.patience = patience
        # Not Channel.fileno(): what it makes can be written to by paramiko's thread after it was closed by ours.
        self._news = _News()
        channel.in_buffer.set_event(self._news)
        channel.in_stderr_buffer.set_event(self._news)

    def run(self, text: str) -> int:
        """Have /bin/sh run `text` and see it through to its exit code.

        Raises ExpiredError, BrokenError, and whatever reading a file as stdin raised.
        """
        with _as_broken(), _closing_after(self._channel, self.patience.left_s()):
            self._channel.exec_command(for_any_login_shell(text))
        feeder = _feed(self._channel, self._stdin, self._moved)
        self.read_until(self.is_over)
        while not self._channel.exit_status_ready():
            self._channel.status_event.wait(_POLL_S)
            self._give_up_in_time()
        if feeder is not None:
            close_channel(self._channel)  # the command has ended, so nobody reads what may still wait to be sent
            feeder.finish()
        if self._channel.exit_status < 0:
            raise BrokenError
        return self._channel.exit_status

    def is_over(self) -> bool:
        """Whether no more output will come."""
        return bool(self._channel.eof_received or self._channel.closed)

    def read_until(self, enough: Callable[[], bool]) -> None:
        """Hand on what comes until `enough` says so, and what had come by then."""
        while not enough():
            self._news.wait(min(_POLL_S, self.patience.left_s()))
            self._drain()
            self._give_up_in_time()
        self._drain()

    def _drain(self) -> None:
        channel = self._channel
        while channel.recv_ready():
            with _as_broken():
                piece = channel.recv(_READ_BYTES)
            self._on_output(piece)
            self._moved()
        while channel.recv_stderr_ready():
            with _as_broken():
                piece = channel.recv_stderr(_READ_BYTES)
            self._on_errors(piece)
            self._moved()

    def _moved(self) -> None:
        self.patience.moved()

    def _give_up_in_time(self) -> None:
        if self.patience.left_s() == 0:
            raise ExpiredError


class _News(threading.Event):
    """Set by paramiko where one of a channel's two streams has something, or has ended."""

    def wait(self, timeout: float | None = None) -> bool:
        """Return once it is set, and be ready for the next time."""
        news = super().wait(timeout)
        super().clear()
        return news

    def clear(self) -> None:
        """Paramiko clears it where one stream is empty: the other may not be."""


def _feed(channel: paramiko.Channel, source: bytes | BinaryIO, moved: Callable[[], None]) -> Feeder | None:
    """Start to write `source` to the command's standard input; at once where there is nothing to write."""
    if source == b"":
        with contextlib.suppress(*_GONE):  # the command has ended
            channel.shutdown_write()
        return None

    def write(piece: bytes) -> None:
        while piece:
            sent = channel.send(piece)
            if sent == 0:
                raise EOFError  # the channel is closed
            moved()
            piece = piece[sent:]

    stream = BytesIO(source) if isinstance(source, bytes) else source
    return Feeder(stream, write, channel.shutdown_write, broken=_GONE, piece_bytes=_PIECE_BYTES)


@contextmanager
def _closing_after(channel: paramiko.Channel, timeout_s: float) -> Iterator[None]:
    """Paramiko waits without a limit for the server to accept a command."""
    timer = threading.Timer(timeout_s, close_channel, (channel,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _as_broken() -> Iterator[None]:
    """What the connection raises, apart from what a file on this side does."""
    try:
        yield
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise BrokenError from error
