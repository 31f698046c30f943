"""Who has prepared a device: a process of this computer, or somebody else's."""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Self

__all__ = ["Holder", "this_holder"]

_TEXT = re.compile(r"([0-9a-f]{16}) ([1-9]\d{0,9}) (\d{1,20}) ([A-Za-z0-9@._-]{1,120})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that prepares devices.

    `key` is the same for all processes with one home folder of pocketbench on one computer; `started` is the tick of
    that computer at which the process began, which tells it from a later one with its number.
    """

    key: str
    process_id: int
    started: int
    name: str

    @property
    def text(self) -> str:
        """As it is kept on the device."""
        return f"{self.key} {self.process_id} {self.started} {self.name}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """What the device kept; None where that is no holder."""
        match = _TEXT.fullmatch(text)
        return None if match is None else cls(match[1], int(match[2]), int(match[3]), match[4])

    def is_dead_sibling_of(self, other: Holder) -> bool:
        """True where it was a process beside `other`, which runs here, and is no more."""
        return self.key == other.key and _started(self.process_id) != self.started


def this_holder(home: Path) -> Holder:
    """This process, working with the folder `home`."""
    host = socket.gethostname()
    computer = f"{_machine_id()}\0{host}\0{home.resolve()}"
    name = re.sub(r"[^A-Za-z0-9@._-]", "-", f"{_user()}@{host}")[:120]
    process_id = os.getpid()
    return Holder(hashlib.sha256(computer.encode()).hexdigest()[:16], process_id, _started(process_id) or 0, name)


def _started(process_id: int) -> int | None:
    """Field 22 of /proc/PID/stat (proc_pid_stat(5)); None where there is no such process."""
    try:
        text = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return int(text.rpartition(")")[2].split()[19])


def _machine_id() -> str:
    try:
        return Path("/etc/machine-id").read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, in a container
        return str(os.getuid())
