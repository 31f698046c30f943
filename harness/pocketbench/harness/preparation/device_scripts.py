"""The shell scripts that prepare a device, which lie beside this file in `scripts/`.

The text of a script never changes: what differs comes as arguments or on standard input, so that no value can be taken
for a command.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources
from pathlib import PurePosixPath

from pocketbench.checked.errors import DeviceError
from pocketbench.harness.deploy.device_scripts import describe
from pocketbench.harness.devices.registry import Device
from pocketbench.harness.preparation.rights import USER, Rights
from pocketbench.harness.transports.base import Completed, Transport

__all__ = [
    "DAMAGED",
    "HELD",
    "LEFT",
    "LOST",
    "Place",
    "failure",
    "guardian_text",
    "place_on",
    "run_script",
]

# Exit codes of the scripts; the tools themselves use small numbers and those from 126 on.
_LOCKED = 45
_NO_CLOCK = 51
HELD = 52
LEFT = 53
_NO_GUARDIAN = 54
LOST = 55
_UNREADABLE = 56
_NO_FLOCK = 57
DAMAGED = 58
_MEANINGS = {
    _LOCKED: "the lock of preparation/ there, which somebody holds: wait for the end of the other preparation",
    _NO_CLOCK: "no /proc/uptime or boot_id that it may read, so nothing would put it back in time",
    _NO_GUARDIAN: "no process that stays when we are gone, so nothing would put it back",
    _UNREADABLE: "a value that could not be put back as it is",
    _NO_FLOCK: "no `flock`, so two hosts could prepare it at once: install util-linux or busybox there",
}
_TIMEOUT_S = 120.0
_PARTS = {
    "apply": ("common", "nodes", "guarding", "apply"),
    "guardian": ("common", "nodes", "restoring", "guardian"),
    "release": ("common", "release"),
    "renew": ("common", "nodes", "guarding", "renew"),
    "restore": ("common", "nodes", "guarding", "restoring", "restore"),
    "survey": ("common", "nodes", "survey"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Our directory on a device, and where its kernel's file systems are."""

    directory: PurePosixPath
    sys: PurePosixPath
    proc: PurePosixPath


def place_on(device: Device) -> Place:
    """The real ones."""
    return Place(device.directory, PurePosixPath("/sys"), PurePosixPath("/proc"))


def run_script(
    transport: Transport, name: str, place: Place, *arguments: str, rights: Rights = USER, stdin: bytes = b""
) -> Completed:
    """Run the script `name`; TransportError where the device cannot be reached."""
    paths = (str(place.directory), str(place.sys), str(place.proc))
    argv = ("sh", "-c", _text(name), "sh", *paths, *arguments)
    return transport.run(rights.command(argv), timeout_s=_TIMEOUT_S, stdin=stdin)


def failure(transport: Transport, completed: Completed, purpose: str) -> DeviceError:
    """What to raise for a script that failed."""
    words = describe(completed)
    meaning = _MEANINGS.get(completed.exit_code)
    got = f"exit code {completed.exit_code}: {words}" if meaning is None else meaning
    if completed.exit_code == _UNREADABLE:
        got = f"{got} ({words})"
    return DeviceError(f"{transport.address}: expected to {purpose}, got {got}.")


def guardian_text(token: str) -> str:
    """The script that the device runs by itself.

    It names the token in a line of its own, by which the process is known: toybox's grep sees nothing of a line after a
    zero byte, and between arguments /proc/PID/cmdline has these.
    """
    return f"\n: {token}\n{_text('guardian')}"


@functools.cache
def _text(name: str) -> str:
    """The script without its comments, which need not travel."""
    folder = resources.files("pocketbench.harness.preparation") / "scripts"
    lines = [line for part in _PARTS[name] for line in (folder / f"{part}.sh").read_text(encoding="utf-8").splitlines()]
    return "\n".join(line for line in lines if line.strip() and not line.lstrip().startswith("#")) + "\n"
