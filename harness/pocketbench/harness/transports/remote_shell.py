"""One command for a shell on a device, made so that its output and its process can be told from everything else.

SSH and ADB hand a text to a shell there. The text that `RemoteCommand` makes quotes the arguments once, and prints a
mark on both streams before the command starts: what stands before the mark is noise of login scripts, and the mark on
standard output carries the number of the shell's process, which leads a process group of its own (OpenSSH's sshd and
adbd both call setsid(2)), so that a timeout can end all of it.
"""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["RemoteCommand", "kill_group", "split_signal"]

# A shell says 128 + n for a command that signal n ended; Linux has 64 signals.
_SIGNALS = range(128 + 1, 128 + 65)


def _token() -> str:
    return f"pocketbench-{secrets.token_hex(8)}"


@dataclass(frozen=True, slots=True)
class RemoteCommand:
    """`argv` as a text for a POSIX shell (dash, mksh, busybox ash, bash)."""

    argv: tuple[str, ...]
    token: str = field(default_factory=_token)

    @property
    def text(self) -> str:
        """The mark on both streams, messages in English so that parsers know them, then the command itself.

        The shell stays, so that it says 128 + n for a command that a signal ended: an SSH client would get no code.
        """
        command = shlex.join(self.argv)
        return f"echo {self.token} $$; echo {self.token} >&2; LC_ALL=C; export LC_ALL; {command}; exit $?"

    def process_id(self, stdout: bytes) -> int | None:
        """The process that the mark names; None before the mark has come. It leads its process group."""
        match = re.search(rb"^.*?" + self._mark() + rb" (\d{1,10})\r?\n", stdout, re.DOTALL)
        number = int(match[1]) if match else 0
        return number if number > 1 else None  # -1 and -0 would be everybody's process groups

    def output(self, stdout: bytes) -> bytes:
        """What the command itself wrote on standard output."""
        return self._after_mark(stdout, rb" \d{1,10}\r?\n")

    def errors(self, stderr: bytes) -> bytes:
        """What the command itself wrote on standard error; all of it where the shell never came to the mark."""
        return self._after_mark(stderr, rb"\r?\n") if self.token.encode() in stderr else stderr

    def _mark(self) -> bytes:
        return re.escape(self.token.encode())

    def _after_mark(self, data: bytes, ending: bytes) -> bytes:
        match = re.search(self._mark() + ending, data)
        return data[match.end() :] if match else b""


# For a shell that leads no group (dropbear calls no setsid(2)): stopped first, so that it starts no further child.
_END_TREE = "end() { kill -STOP $1; for child in $(cat /proc/$1/task/*/children); do end $child; done; kill -9 $1; };"


def kill_group(process_id: int) -> Sequence[str]:
    """The command that ends a process and its children on a device."""
    return ("sh", "-c", f"kill -9 -{process_id} 2>/dev/null || {{ {_END_TREE} end {process_id}; }} 2>/dev/null")


def split_signal(exit_code: int) -> tuple[int, int | None]:
    """Exit code and signal as `Completed` has them, from what a remote shell reports."""
    return exit_code, exit_code - 128 if exit_code in _SIGNALS else None
