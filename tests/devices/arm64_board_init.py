"""The first process of an arm64 board: as board_init.py, over another computer's files and with programs for arm64.

Started by arm64_board.py as `python -m tests.devices.arm64_board_init SETTINGS.json ROOT QEMU` in a user namespace.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path

from tests.devices import board_init
from tests.devices.namespaces import emulate_arm64, mount

__all__: list[str] = []


def _overlay(root: Path, below: Path, layers: Path) -> None:
    """The files of the other computer below, everything that the board writes in memory above."""
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", layers)
    (layers / "upper").mkdir()
    (layers / "work").mkdir()
    # Trusted attributes are for the first user namespace only (kernel, Documentation/filesystems/overlayfs.rst).
    options = f"userxattr,lowerdir={below},upperdir={layers}/upper,workdir={layers}/work"
    mount("-t", "overlay", "-o", options, "overlay", root)


def main() -> None:
    """Be the board."""
    settings_file, below, qemu = sys.argv[1:]
    settings = json.loads(Path(settings_file).read_text())
    root = Path(settings["root"])
    if platform.machine() != "aarch64":
        emulate_arm64(qemu)
    _overlay(root, Path(below), Path(settings["layers"]))
    board_init.furnish(root, settings)
    board_init.become_sshd(root)


if __name__ == "__main__":
    main()
