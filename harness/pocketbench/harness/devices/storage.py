"""How much room our directory has, and whether its file system lets programs run."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

__all__ = ["allows_programs", "mount_of", "parse_free_bytes"]

_MOUNTS = 10_000
# $ df -Pk /data/local/tmp
# Filesystem     1024-blocks     Used Available Capacity Mounted on
# /dev/vda         264212084 26335920  80054992      25% /
# toybox: "Filesystem     1K-blocks     Used Available Use% Mounted on"; the name of a file system may hold spaces.
_DF_LINE = re.compile(r"\S.*\s(?:\d{1,18})\s+(?:\d{1,18})\s+(\d{1,18})\s+(?:\d{1,3}%|-)\s+/.*", re.ASCII)


def parse_free_bytes(text: str) -> int | None:
    """What `df -Pk` of one path says is available; None where it is none of its output."""
    lines = text.splitlines()[:3]
    match = _DF_LINE.fullmatch(lines[1][:4096]) if len(lines) == 2 and lines[0].startswith("Filesystem") else None
    return int(match[1]) * 1024 if match else None


# /dev/block/dm-5 /data f2fs rw,lazytime,seclabel,nosuid,nodev,noatime 0 0
# /dev/fuse /storage/emulated fuse rw,lazytime,nosuid,nodev,noexec,noatime 0 0
def mount_of(mounts: str, place: PurePosixPath) -> tuple[str, frozenset[str]] | None:
    """Mount point and options of the file system that holds `place`, a path without links, from /proc/mounts.

    See proc_mounts(5). None where no line speaks of it.
    """
    found: tuple[str, frozenset[str]] | None = None
    for line in mounts.splitlines()[:_MOUNTS]:
        fields = line.split(" ")
        if len(fields) != 6 or not fields[1].startswith("/"):
            continue
        point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[1])
        # A later line covers an earlier one.
        if place.is_relative_to(point) and (found is None or len(point) >= len(found[0])):
            found = point, frozenset(fields[3].split(","))
    return found


def allows_programs(mounts: str, place: str) -> bool | None:
    """False where `place` lies on a file system that is mounted noexec, None where that cannot be said."""
    mount = mount_of(mounts, PurePosixPath(place)) if place.startswith("/") else None
    return None if mount is None else "noexec" not in mount[1]
