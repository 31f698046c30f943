"""A Raspberry Pi 4 as seen over SSH that is really arm64: another computer's files, its programs run by qemu.

    with Arm64Board(make_arm64_root(cache), tmp_path / "board") as board:
        board.host, board.port, board.user, board.key_file, board.known_hosts_line()

Otherwise it is board.py's: unplugged, switched off, told what to say. Programs run tens to hundreds of times slower
than on this computer, and not all by the same factor: never compare times. Its kernel is this computer's, so uname -r
is that too, and only this computer's cores can be pinned although its /sys has four.
"""

from __future__ import annotations

import argparse
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import platformdirs

from tests.devices.android_root import INSTALL_QEMU, QEMU
from tests.devices.arm64_rootfs import BOOKWORM, BULLSEYE, make_arm64_root
from tests.devices.board import NAMESPACES, Board, serve
from tests.devices.processes import module
from tests.needs import require_program, require_that

__all__ = ["Arm64Board", "main"]

# A Raspberry Pi 4's. With qemu's default, -cpu max, some of LiteRT's int8 kernels compute wrong numbers.
_CPU = "cortex-a72"
_LINUX = (6, 7)


class Arm64Board(Board):
    """A board with the files of `root`, which stay as they are: what it writes is gone when it is switched off."""

    def __init__(
        self, root: Path, folder: Path, *, options: Sequence[str] = (), login_shell: str = "/bin/bash"
    ) -> None:
        self._root = root
        self._qemu = "none"
        if platform.machine() != "aarch64":
            self._qemu = str(require_program(QEMU, INSTALL_QEMU))
            release = tuple(int(number) for number in re.findall(r"\d+", platform.release())[:2])
            require_that(
                release >= _LINUX,
                f"expected Linux 6.7, where a user namespace may say what runs programs for arm64, got "
                f"{platform.release()}: run the tests under a newer kernel",
            )
        # sshd gives its sessions no variable of its own, but what it is told to (sshd_config(5)).
        super().__init__(folder, options=[*options, f"SetEnv QEMU_CPU={_CPU}"], login_shell=login_shell)

    def _first_process(self) -> list[str]:
        user_namespace = [sys.executable, str(Path(__file__).with_name("user_namespace.py"))]
        settings = (str(self.folder / "settings.json"), str(self._root), self._qemu)
        init = module("tests.devices.arm64_board_init", *settings)
        return ["env", f"QEMU_CPU={_CPU}", *user_namespace, "unshare", *NAMESPACES, *init]

    def _lay_wire(self) -> None:
        super()._lay_wire()
        # The wires are the first user namespace's, in which the board's sshd is nobody who may listen at port 22.
        script = "echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start"
        subprocess.run([*self._inside(), "sh", "-c", script], check=True, stdin=subprocess.DEVNULL)


def main(arguments: Sequence[str]) -> None:
    """`python -m tests.devices arm64-board`: run one until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.devices arm64-board", description=__doc__.splitlines()[0])
    parser.add_argument("--release", default=BOOKWORM, choices=(BOOKWORM, BULLSEYE), help="whose files it has")
    chosen = parser.parse_args(arguments)
    root = make_arm64_root(platformdirs.user_cache_path("pocketbench-devices"), chosen.release)
    with tempfile.TemporaryDirectory(prefix="board-") as folder:
        board = Arm64Board(root, Path(folder, "board"), options=["PasswordAuthentication yes"])
        serve(board, "A Raspberry Pi 4 with programs for arm64, emulated")
