"""The first process of an emulated phone: puts its file system together inside namespaces made for it, then waits.

Started by phone.py as `python phone_init.py FOLDER SMALL_DISK_BYTES`; it says "furnished" and ends, and everything in
its namespaces with it, when its standard input does. Nothing here may import anything but the standard library.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

__all__: list[str] = []


def _mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *arguments], check=True, stdin=subprocess.DEVNULL)


def _furnish(root: Path, folder: Path, small_disk_bytes: str) -> None:
    """This computer's own programs below, what a phone has beside them, and what it writes in memory above."""
    layers = folder / "layers"
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", layers)
    for name in ("upper", "work"):
        (layers / name).mkdir()
    _mount("-t", "overlay", "-o", f"lowerdir=/,upperdir={layers}/upper,workdir={layers}/work", "overlay", root)
    _mount("-t", "proc", "proc", root / "proc")
    _mount("--rbind", "/dev", root / "dev")
    for name in ("system", "data"):
        (root / name).mkdir(exist_ok=True)
        _mount("--bind", folder / name, root / name)
    (root / "sdcard").mkdir(exist_ok=True)
    _mount("-t", "tmpfs", "-o", "noexec,mode=1777", "tmpfs", root / "sdcard")
    _mount("-t", "tmpfs", "-o", f"size={small_disk_bytes},mode=1777", "tmpfs", root / "mnt")


def main() -> None:
    """Be the phone."""
    folder, small_disk_bytes = Path(sys.argv[1]), sys.argv[2]
    root = folder / "root"
    _furnish(root, folder, small_disk_bytes)
    os.chroot(root)
    os.chdir("/")
    # What loses its parent becomes ours: the kernel collects it when it ends.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("furnished", flush=True)
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
