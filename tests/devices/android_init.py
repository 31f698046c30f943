"""The first process of an Android-like device: puts its file system together inside namespaces made for it, then waits.

Started by android_device.py as `python -m tests.devices.android_init ROOT DATA QEMU`; it says "furnished" and ends, and
everything in its namespaces with it, when its standard input does.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import signal
import socket
import struct
import sys
from pathlib import Path

from tests.devices.namespaces import emulate_arm64, mount

__all__: list[str] = []

_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1


def _furnish(root: Path, data: Path) -> None:
    mount("--bind", root, root)
    mount("-t", "proc", "proc", root / "proc")
    mount("--bind", root / "system/etc/cpuinfo", root / "proc/cpuinfo")
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", root / "dev")
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        (root / "dev" / name).touch()
        mount("--bind", f"/dev/{name}", root / "dev" / name)
    for name, target in {"fd": "", "stdin": "/0", "stdout": "/1", "stderr": "/2"}.items():
        (root / "dev" / name).symlink_to(f"/proc/self/fd{target}")
    (root / "dev/pts").mkdir()
    mount("-t", "devpts", "-o", "newinstance,ptmxmode=0666", "devpts", root / "dev/pts")
    (root / "dev/ptmx").symlink_to("pts/ptmx")
    mount("--bind", data, root / "data/local/tmp")
    mount("-t", "tmpfs", "-o", "noexec,mode=777", "tmpfs", root / "sdcard")
    mount("-o", "remount,bind,ro", root)  # as /system is, and the tree may serve other devices


def _loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))


def _collect(*_: object) -> None:
    """Orphans are given to the first process."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def main() -> None:
    """Be the device until standard input ends."""
    root, data, qemu = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    mount("-t", "proc", "proc", "/proc")
    if platform.machine() != "aarch64":
        emulate_arm64(qemu)
    _furnish(root, data)
    _loopback()
    socket.sethostname("localhost")
    signal.signal(signal.SIGCHLD, _collect)
    sys.stdout.write("furnished\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
