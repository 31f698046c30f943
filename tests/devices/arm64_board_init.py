"""The first process of an arm64 board: as board_init.py, over another computer's files and with programs for arm64.

Started by arm64_board.py as `python -m tests.devices.arm64_board_init SETTINGS.json ROOT QEMU` in a user namespace.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

from tests.devices import board_init

__all__: list[str] = []

# qemu's own registration, less the file system: type executable or shared, machine AArch64. The kernel opens the
# emulator at once (F), so that it need not be on the board, and programs see the name they were called by (P).
_MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
_MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
_BINFMT_MISC = Path("/proc/sys/fs/binfmt_misc")


def _mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *arguments], check=True, stdin=subprocess.DEVNULL)


def _emulate(qemu: str) -> None:
    """From now on programs for arm64 start in this user namespace, and nowhere else."""
    _mount("-t", "binfmt_misc", "binfmt_misc", _BINFMT_MISC)
    (_BINFMT_MISC / "register").write_text(f":qemu-aarch64:M::{_MAGIC}:{_MASK}:{qemu}:PF")


def _overlay(root: Path, below: Path, layers: Path) -> None:
    """The files of the other computer below, everything that the board writes in memory above."""
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", layers)
    (layers / "upper").mkdir()
    (layers / "work").mkdir()
    # Trusted attributes are for the first user namespace only (kernel, Documentation/filesystems/overlayfs.rst).
    options = f"userxattr,lowerdir={below},upperdir={layers}/upper,workdir={layers}/work"
    _mount("-t", "overlay", "-o", options, "overlay", root)


def main() -> None:
    """Be the board."""
    settings_file, below, qemu = sys.argv[1:]
    settings = json.loads(Path(settings_file).read_text())
    root = Path(settings["root"])
    if platform.machine() != "aarch64":
        _emulate(qemu)
    _overlay(root, Path(below), Path(settings["layers"]))
    board_init._furnish(root, settings)
    subprocess.run(["hostname", "raspberrypi"], check=True)
    print("furnished", flush=True)
    sys.stdin.readline()  # arm64_board.py plugs the cable in meanwhile
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.chroot(root)
    os.chdir("/")
    os.execv("/usr/sbin/sshd", ["/usr/sbin/sshd", "-D", "-e", "-f", "/run/board/sshd_config"])


if __name__ == "__main__":
    main()
