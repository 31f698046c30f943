"""Is there room? Asked before the first byte is written."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from pocketbench.harness.errors import DeploymentError
from pocketbench.harness.transports.base import Transport

__all__ = ["available_bytes", "check_space", "parse_df"]

_COMMAND_TIMEOUT_S = 60.0
# Directories, links, records and the runner's results.
_RESERVE_BYTES = 4 * 1024 * 1024
# $ df -Pk /data/local/tmp
# Filesystem     1024-blocks     Used Available Capacity Mounted on
# /dev/vda         264212084 26335920  80054992      25% /
# toybox: "Filesystem     1K-blocks     Used Available Use% Mounted on"; the name of a file system may hold spaces.
_DF_LINE = re.compile(r"\S.*\s(\d+)\s+(\d+)\s+(\d+)\s+(?:\d+%|-)\s+/.*", re.ASCII)


def parse_df(text: str) -> int | None:
    """Bytes available as `df -Pk` of one path says, None where it is none of its output."""
    lines = text.splitlines()
    if len(lines) != 2 or not lines[0].startswith("Filesystem"):
        return None
    match = _DF_LINE.fullmatch(lines[1])
    return int(match[3]) * 1024 if match else None


def available_bytes(transport: Transport, directory: PurePosixPath) -> int:
    """Bytes available to us at `directory`, or at the nearest parent that is there."""
    for path in (directory, *directory.parents):
        completed = transport.run(["df", "-Pk", str(path)], timeout_s=_COMMAND_TIMEOUT_S)
        if completed.exit_code != 0:
            continue  # not there yet: ask its parent
        available = parse_df(completed.stdout.decode(errors="replace"))
        if available is not None:
            return available
        raise DeploymentError(
            f"{transport.address}: expected the free space from `df -Pk {path}`, got {completed.stdout[:300]!r}: "
            "is its df the one of coreutils, busybox or toybox?"
        )
    raise DeploymentError(f"{transport.address}: expected the free space from `df -Pk`, got an error for every path.")


def check_space(transport: Transport, directory: PurePosixPath, needed_bytes: int) -> None:
    """Raise DeploymentError unless `needed_bytes` and a small reserve fit at `directory`."""
    available = available_bytes(transport, directory)
    needed = needed_bytes + _RESERVE_BYTES
    if available < needed:
        raise DeploymentError(
            f"{transport.address}: expected {_megabytes(needed)} free at {directory}, got {_megabytes(available)}: "
            "nothing was written. Remove what is no longer needed there (`pocketbench deploy status`, then "
            "`pocketbench deploy remove NAME`), or register the device with a directory that has more room."
        )


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
