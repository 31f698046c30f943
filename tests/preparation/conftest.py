"""Devices to prepare: this computer with each of the shells and tool boxes that boards and phones have."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pocketbench.harness.preparation.holder import Holder, this_holder
from pocketbench.harness.preparation.prepared import Preparation
from pocketbench.harness.preparation.record import Restoration
from pocketbench.harness.preparation.wanted import parse_wanted
from pocketbench.harness.transports.local import LocalTransport
from tests.needs import require_program
from tests.preparation.machine import Machine

# Everything that the scripts call.
TOOLS = (
    "cat",
    "date",
    "dd",
    "find",
    "flock",
    "grep",
    "id",
    "kill",
    "mkdir",
    "mv",
    "rm",
    "sed",
    "setsid",
    "sleep",
    "sync",
)
# Debian builds the boxes without these; Android has them, and so has Alpine.
NOT_IN_THE_BOX = {"busybox": {"flock"}, "toybox": {"dd"}}
SHELLS: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "coreutils-dash": (None, ("dash",)),
    "coreutils-bash": (None, ("bash", "--posix")),
    "busybox": ("busybox", ("busybox", "ash")),
    "toybox-mksh": ("toybox", ("mksh",)),
}
ENOUGH_S = 60.0


class OtherTools(LocalTransport):
    """This computer with no commands but those in `folder`."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def run(self, argv, *, timeout_s, stdin=b""):
        env = str(self.folder / "env")
        return super().run([env, "-i", f"PATH={self.folder}", *map(str, argv)], timeout_s=timeout_s, stdin=stdin)

    def add(self, name: str, text: str) -> None:
        """Another program."""
        (self.folder / name).unlink(missing_ok=True)
        (self.folder / name).write_text(f"#!{self.folder}/sh\n{text}\n")
        (self.folder / name).chmod(0o755)


def tool_box(folder: Path, box: str | None, shell: tuple[str, ...]) -> OtherTools:
    folder.mkdir()
    for tool in TOOLS:
        source = None if box is None or tool in NOT_IN_THE_BOX[box] else box
        (folder / tool).symlink_to(require_program(source or tool, f"apt-get install {source or 'coreutils'}"))
    (folder / "env").symlink_to(require_program("env", "apt-get install coreutils"))
    program = require_program(shell[0], f"apt-get install {shell[0]}")
    (folder / "sh").write_text(f'#!/bin/sh\nexec {program} {" ".join(shell[1:])} "$@"\n')
    (folder / "sh").chmod(0o755)
    return OtherTools(folder)


@pytest.fixture(params=list(SHELLS.values()), ids=list(SHELLS))
def device(request, tmp_path) -> OtherTools:
    return tool_box(tmp_path / "bin", *request.param)


@pytest.fixture
def dash(tmp_path) -> OtherTools:
    return tool_box(tmp_path / "bin", *SHELLS["coreutils-dash"])


@pytest.fixture
def machine(tmp_path) -> Iterator[Machine]:
    """None of the guardians that watch over it outlives the test."""
    machine = Machine(tmp_path / "machine")
    yield machine
    for pid in guardians(machine):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


@pytest.fixture
def holder(tmp_path) -> Holder:
    home = tmp_path / "home"
    home.mkdir()
    return this_holder(home)


@pytest.fixture
def prepare(machine, holder) -> Callable[..., Preparation]:
    """prepare(device, "fan=full"): a preparation that stands."""

    def make(transport, *words, platform="linux", by=holder, lease_s=100):
        wanted = parse_wanted(words)
        options = {"platform": platform, "holder": by, "lease_s": lease_s, "poll_s": 1}
        preparation = Preparation(transport, machine.place, wanted, **options)
        preparation.prepare()
        return preparation

    return make


def guardians(machine: Machine) -> list[int]:
    """Process numbers of the guardians of `machine`."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            # What a shell in a subshell has is the same: only the leader counts.
            if b"pocketbench-guardian" in words and str(machine.place.directory).encode() in words:
                pid = int(entry.name)
                if os.getpgid(pid) == pid:
                    found.append(pid)
    return found


def restored(preparation: Preparation) -> Restoration:
    """What was put back in the end; it must have been."""
    restoration = preparation.record.restoration
    assert restoration is not None
    return restoration


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + ENOUGH_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.02)
