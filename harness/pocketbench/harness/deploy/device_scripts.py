"""The shell scripts that a deployment runs on a device: one command each, so that one round trip does much.

They lie beside this file in `scripts/`. The text of a script never changes: what differs comes as arguments or on
standard input, so that no value can be taken for a command.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from importlib import resources
from pathlib import PurePosixPath
from typing import BinaryIO

from pocketbench.harness.errors import DeploymentError
from pocketbench.harness.transports.base import Completed, Transport

__all__ = [
    "CHANGED",
    "COMMAND_TIMEOUT_S",
    "GONE",
    "INCOMPLETE",
    "LOCKED",
    "MISMATCH",
    "UNKNOWN_NAME",
    "describe",
    "failure",
    "run_or_fail",
    "run_script",
]

# Exit codes of the scripts; the tools themselves use small numbers and those from 126 on.
MISMATCH = 43
UNKNOWN_NAME = 44
LOCKED = 45
GONE = 46
CHANGED = 47
INCOMPLETE = 48

COMMAND_TIMEOUT_S = 120.0
_SHOWN_CHARACTERS = 300
# Each script with what it stands on.
_PARTS = {
    "append": ("common", "receive", "append"),
    "discard": ("common", "discard"),
    "place": ("common", "receive", "place"),
    "remove": ("common", "collect", "remove"),
    "status": ("common", "status"),
    "survey": ("common", "survey"),
    "switch": ("common", "collect", "switch"),
    "tidy": ("common", "collect", "tidy"),
    "verify": ("common", "verify"),
}


def run_script(
    transport: Transport,
    name: str,
    directory: PurePosixPath,
    *arguments: str,
    stdin: bytes | BinaryIO = b"",
    timeout_s: float = COMMAND_TIMEOUT_S,
) -> Completed:
    """Run the script `name` for our `directory`; DeploymentError where another deployment holds the lock too long."""
    argv = ("sh", "-c", _text(name), "sh", str(directory), *arguments)
    completed = transport.run(argv, timeout_s=timeout_s, stdin=stdin)
    if completed.exit_code == LOCKED:
        raise DeploymentError(
            f"{transport.address}: expected the lock of {directory} within a minute, got none: another deployment "
            "is writing there. Wait for it, then deploy again."
        )
    return completed


def run_or_fail(
    transport: Transport,
    name: str,
    directory: PurePosixPath,
    *arguments: str,
    purpose: str,
    stdin: bytes | BinaryIO = b"",
    timeout_s: float = COMMAND_TIMEOUT_S,
) -> Completed:
    """Like `run_script`; DeploymentError saying what it was for, in the device's words, unless it exits with 0."""
    completed = run_script(transport, name, directory, *arguments, stdin=stdin, timeout_s=timeout_s)
    if completed.exit_code != 0:
        raise failure(transport, completed, purpose)
    return completed


def failure(transport: Transport, completed: Completed, purpose: str) -> DeploymentError:
    """What to raise for a script that failed."""
    return DeploymentError(
        f"{transport.address}: expected to {purpose}, got exit code {completed.exit_code}: {describe(completed)}. "
        "Check that the directory can be written and has room, then deploy again."
    )


def describe(completed: Completed) -> str:
    """What a command said, on one line and not endless."""
    text = (completed.stderr or completed.stdout).decode(errors="replace")
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line[:_SHOWN_CHARACTERS].removesuffix(".") or "no message"


@functools.cache
def _text(name: str) -> str:
    """The script without its comments, which need not travel."""
    folder = resources.files("pocketbench.harness.deploy") / "scripts"
    lines: Sequence[str] = [
        line for part in _PARTS[name] for line in (folder / f"{part}.sh").read_text(encoding="utf-8").splitlines()
    ]
    return "\n".join(line for line in lines if line.strip() and not line.lstrip().startswith("#")) + "\n"
