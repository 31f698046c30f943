"""A phone without ADB: the tree of android_root.py running in namespaces of this computer, programs under qemu.

    with AndroidDevice(root, tmp_path) as device:
        subprocess.run(device.command(["getprop"]))

What it cannot be: bionic, SELinux, a phone's kernel and drivers, its speed. real_adbd.py puts Debian's adbd into it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self

from pocketbench.harness.transports.base import Completed
from pocketbench.harness.transports.local import LocalTransport
from tests.devices.android_root import INSTALL_QEMU, QEMU
from tests.devices.processes import children, end, module, start
from tests.needs import require_program, require_that

__all__ = ["DATA", "AndroidDevice", "AndroidShell"]

DATA = PurePosixPath("/data/local/tmp")
# What adb shell has on a phone (AOSP system/core, rootdir/init.environ.rc.in), as far as it is here; and for qemu, a
# core that exists: with all that qemu 7.2 knows, int8 inference of LiteRT gave wrong numbers (docs/runner.md).
_ENVIRONMENT = (
    *("PATH=/system/bin", "ANDROID_DATA=/data", "ANDROID_ROOT=/system", "HOME=/", "TMPDIR=/data/local/tmp"),
    "QEMU_CPU=cortex-a76",
)


class AndroidDevice:
    """Started with `with`; `data` is its /data/local/tmp, `root` may serve several at once. /sdcard is noexec."""

    def __init__(self, root: Path, data: Path) -> None:
        self.root, self.data = root.resolve(), data.resolve()
        self._qemu = require_program(QEMU, INSTALL_QEMU)
        for name in ("unshare", "nsenter", "setpriv"):
            require_program(name, "apt-get install util-linux")
        self._process: subprocess.Popen[bytes] | None = None
        self._init = 0

    def __enter__(self) -> Self:
        init = module("tests.devices.android_init", str(self.root), str(self.data), str(self._qemu))
        namespaces = ["--user", "--map-root-user", "--mount", "--pid", "--net", "--uts", "--fork", "--kill-child"]
        log = self.data.parent / f"{self.data.name}.log"
        with log.open("wb") as stream:
            self._process = start(["unshare", *namespaces, *init], stream, talk=True)
        assert self._process.stdout is not None
        furnished = self._process.stdout.readline() == b"furnished\n"
        if not furnished:
            end(self._process)
        require_that(
            furnished,
            "expected namespaces of our own with binfmt_misc in them (Linux 6.7), got: "
            f"{log.read_text(errors='replace')[-500:]}",
        )
        (self._init,) = children(self._process.pid)
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._process is not None:
            end(self._process)

    def inside(self, *namespaces: str) -> tuple[str, ...]:
        """What starts a program of this computer in `namespaces` of the device: "--net", "--mount", "--pid"."""
        return (_here("nsenter"), "--target", str(self._init), "--user", "--preserve-credentials", *namespaces, "--")

    def command(self, argv: Sequence[str]) -> tuple[str, ...]:
        """`argv` of the device as a command of this computer, with the environment of adb shell."""
        device = self.inside("--mount", "--pid", "--net", "--uts")
        # This computer's env: busybox's starts its own sh, whatever /system/bin has.
        return (*device, _here("env"), "-i", *_ENVIRONMENT, _here("chroot"), str(self.root), *argv)


def _here(program: str) -> str:
    """Where this computer has a program, which is started when PATH is the device's already."""
    return str(require_program(program, "apt-get install coreutils util-linux"))


class AndroidShell(LocalTransport):
    """The device as a transport: files of /data/local/tmp and commands, without ADB in between."""

    address = "android:"

    def __init__(self, device: AndroidDevice) -> None:
        self._device = device

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes | BinaryIO = b"") -> Completed:
        """As Transport.run; a program that is not there gives chroot's 127."""
        return super().run(self._device.command(argv), timeout_s=timeout_s, stdin=stdin)

    def push(self, source: Path, target: PurePosixPath, *, mode: int = 0o644) -> None:
        """As Transport.push."""
        super().push(source, self._here(target), mode=mode)

    def pull(self, source: PurePosixPath, target: Path) -> None:
        """As Transport.pull."""
        super().pull(self._here(source), target)

    def _here(self, path: PurePosixPath) -> PurePosixPath:
        return PurePosixPath(self._device.data / path.relative_to(DATA))
