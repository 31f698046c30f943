"""One command on a phone, from the stream that it is started on to its exit code.

With shell protocol v2 (Android 7) both outputs, the input and the exit code have packets of their own. Android 5 and 6
have `exec:` only, one raw stream: there standard input comes from a file and standard error goes to one, and the exit
code follows in a line that holds a random word. The command runs in a subshell, so that `exit` in it is harmless.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import time
from io import BytesIO
from pathlib import PurePosixPath
from typing import BinaryIO, NamedTuple

from pocketbench.harness.transports.adb_link import AdbLink, AdbStream, LinkBrokenError, StreamEndedError
from pocketbench.harness.transports.adb_protocol import CLOSE_STDIN, ShellDecoder, stdin_packet
from pocketbench.harness.transports.adb_sync import sync_session
from pocketbench.harness.transports.feeder import Feeder
from pocketbench.harness.transports.remote_shell import RemoteCommand, kill_group
from pocketbench.harness.transports.ssh_output import KeptOutput

__all__ = ["Deadline", "Heard", "PhoneCommand"]

# Where the shell user of every Android may write and execute.
_FOLDER = PurePosixPath("/data/local/tmp")
_OPEN_TIMEOUT_S = 30.0
_STALL_S = 60.0
# How long a command that is to be ended may take to say which process it is, and the end itself.
_MARK_GRACE_S = 5.0
_KILL_TIMEOUT_S = 5.0
# What a stream raises where the command has ended or the connection is gone.
_GONE = (StreamEndedError, LinkBrokenError, TimeoutError)
_FOREVER_S = 1e6
# Larger ones leave the processor caches: 1 MiB is a fifth slower on loopback.
_PIECE_BYTES = 1 << 18


class Deadline:
    """A point in time `seconds` from now."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left_s(self) -> float:
        """Seconds that are left; TimeoutError where none is."""
        left_s = self._end - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return left_s


class Heard(NamedTuple):
    """What came of a command; `exit_code` is None where the device closed the stream without one."""

    exit_code: int | None
    stdout: bytes
    stderr: bytes


class PhoneCommand:
    """Runs `command` on the phone at the other end of `link`.

    `run` raises TimeoutError at `deadline`, what reading `stdin` raised, TooMuchOutputError, and the errors of adb_link
    and adb_protocol. Unless the link broke, the process group there is ended first.
    """

    def __init__(self, link: AdbLink, command: RemoteCommand, stdin: bytes | BinaryIO, deadline: Deadline) -> None:
        self._link = link
        self._command = command
        self._stdin = stdin
        self._deadline = deadline
        self._output = KeptOutput("standard output")
        self._errors = KeptOutput("standard error")
        self._decoder = ShellDecoder(self._output.add, self._errors.add) if "shell_v2" in link.features else None
        self._is_over = False
        self._files: list[PurePosixPath] = []

    def run(self) -> Heard:
        """See it through."""
        with contextlib.closing(self._start()) as stream:
            try:
                self._see_through(stream)
            except LinkBrokenError:
                raise
            except BaseException:  # time is over, Ctrl-C, too much output, no packet, a file that cannot be read
                self._end(stream)
                raise
        if self._decoder is not None:
            return Heard(self._decoder.exit_code, self._output.data, self._errors.data)
        return _take_apart(self._output.data, self._end_mark)

    def _start(self) -> AdbStream:
        """Open the stream; on an old phone the input is there before."""
        if self._decoder is not None:
            prefix, text = "shell,v2,raw:", self._command.text
        else:
            prefix, text = "exec:", self._old_text()
        data = text.encode(errors="surrogateescape")
        if len(prefix) + len(data) > self._link.name_bytes:
            file = self._new_file("script")
            self._place(file, BytesIO(f"rm -f {file}\n".encode() + data))
            data = f". {file}".encode()
        return self._link.open(prefix.encode() + data, min(_OPEN_TIMEOUT_S, self._deadline.left_s()))

    @property
    def _end_mark(self) -> bytes:
        return f"{self._command.token}-end".encode()

    def _old_text(self) -> str:
        errors = self._new_file("errors")
        stdin = "/dev/null"
        if self._stdin != b"":
            file = self._new_file("input")
            self._place(file, BytesIO(self._stdin) if isinstance(self._stdin, bytes) else self._stdin)
            stdin = str(file)
        return (
            f"({self._command.text}) <{stdin} 2>{errors}; code=$?; echo; echo {self._end_mark.decode()} $code; "
            f"cat {errors}; rm -f {' '.join(str(file) for file in self._files)}"
        )

    def _new_file(self, purpose: str) -> PurePosixPath:
        file = _FOLDER / f".pocketbench-{secrets.token_hex(8)}-{purpose}"
        self._files.append(file)
        return file

    def _place(self, file: PurePosixPath, content: BinaryIO) -> None:
        with sync_session(self._link, _STALL_S) as session:
            session.send(content, file)

    def _see_through(self, stream: AdbStream) -> None:
        feeder = _feed(stream, self._stdin, self._link.write_bytes) if self._decoder is not None else None
        while not self._is_over:
            self._hear(stream, self._deadline)
        if feeder is not None:
            stream.close()  # the command has ended: nobody reads what may still wait to be sent
            feeder.finish()

    def _hear(self, stream: AdbStream, deadline: Deadline) -> None:
        data = stream.read(deadline.left_s())
        if self._decoder is None:
            self._output.add(data)
        else:
            self._decoder.feed(data)
        self._is_over = not data or (self._decoder is not None and self._decoder.exit_code is not None)

    def _end(self, stream: AdbStream) -> None:
        """End the process group over a second stream, where that still works; else give the link up."""
        try:
            grace = Deadline(_MARK_GRACE_S)
            while (process_id := self._command.process_id(self._output.data)) is None and not self._is_over:
                self._hear(stream, grace)
            if process_id is not None:
                clean_up = f"; rm -f {' '.join(map(str, self._files))}" if self._files else ""
                shell, flag, script = kill_group(process_id)
                killing = RemoteCommand((shell, flag, script + clean_up))
                killer = PhoneCommand(self._link, killing, b"", Deadline(_KILL_TIMEOUT_S))
                with contextlib.closing(killer._start()) as second:
                    killer._see_through(second)
        except Exception:  # whatever it is: the caller hears of what came first
            self._link.close()


def _feed(stream: AdbStream, source: bytes | BinaryIO, write_bytes: int) -> Feeder | None:
    """Start to write `source` to the command's standard input; at once where it fits the first message."""
    if isinstance(source, bytes) and len(source) <= 1 << 12:  # every device takes 4 KiB at once, and some more
        with contextlib.suppress(*_GONE):  # the reading side finds out
            stream.write((stdin_packet(source) if source else b"") + CLOSE_STDIN, _STALL_S)
        return None
    return Feeder(
        BytesIO(source) if isinstance(source, bytes) else source,
        lambda piece: stream.write(stdin_packet(piece), _FOREVER_S),
        lambda: stream.write(CLOSE_STDIN, _FOREVER_S),
        broken=_GONE,
        piece_bytes=min(_PIECE_BYTES, write_bytes) - len(CLOSE_STDIN),  # with its header it fills a message
    )


def _take_apart(data: bytes, mark: bytes) -> Heard:
    """Output, exit code and standard error of an old phone.

    Where a terminal got in between, every end of line has become CR LF, which is undone exactly.
    """
    ending = re.search(rb"(\r?)\n" + re.escape(mark) + rb" (\d{1,3})(\r?)\n", data)
    if ending is None:
        return Heard(None, data, b"")
    stdout, stderr = data[: ending.start()], data[ending.end() :]
    if ending[3]:
        stdout, stderr = stdout.replace(b"\r\n", b"\n"), stderr.replace(b"\r\n", b"\n")
    elif ending[1]:
        stdout += b"\r"  # of the command's own last line
    return Heard(int(ending[2]), stdout, stderr)
