"""The first process of an Android-like device: puts its file system together inside namespaces made for it, then waits.

Started by android_device.py as `python android_init.py ROOT DATA QEMU`; it says "furnished" and ends, and everything in
its namespaces with it, when its standard input does. Nothing here may import anything but the standard library.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

__all__: list[str] = []

# qemu's own registration of binfmt_misc, less the file system: type executable or shared, machine AArch64. The kernel
# opens the emulator at once (F), so it need not be in the tree, and gives the program its own name (P).
_MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
_MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1


def _mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *arguments], check=True, stdin=subprocess.DEVNULL)


def _emulate(qemu: str) -> None:
    """Programs for arm64 start in these namespaces, and nowhere else (Linux 6.7: an own binfmt_misc)."""
    _mount("-t", "binfmt_misc", "binfmt_misc", "/proc/sys/fs/binfmt_misc")
    rule = f":qemu-aarch64:M::{_MAGIC}:{_MASK}:{qemu}:PF"
    Path("/proc/sys/fs/binfmt_misc/register").write_text(rule)


def _furnish(root: Path, data: Path) -> None:
    _mount("--bind", root, root)
    _mount("-t", "proc", "proc", root / "proc")
    _mount("--bind", root / "system/etc/cpuinfo", root / "proc/cpuinfo")
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", root / "dev")
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        (root / "dev" / name).touch()
        _mount("--bind", f"/dev/{name}", root / "dev" / name)
    for name, target in {"fd": "", "stdin": "/0", "stdout": "/1", "stderr": "/2"}.items():
        (root / "dev" / name).symlink_to(f"/proc/self/fd{target}")
    (root / "dev/pts").mkdir()
    _mount("-t", "devpts", "-o", "newinstance,ptmxmode=0666", "devpts", root / "dev/pts")
    (root / "dev/ptmx").symlink_to("pts/ptmx")
    _mount("--bind", data, root / "data/local/tmp")
    _mount("-t", "tmpfs", "-o", "noexec,mode=777", "tmpfs", root / "sdcard")
    _mount("-o", "remount,bind,ro", root)  # as /system is, and the tree may serve other devices


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
    _mount("-t", "proc", "proc", "/proc")
    if platform.machine() != "aarch64":
        _emulate(qemu)
    _furnish(root, data)
    _loopback()
    socket.sethostname("localhost")
    signal.signal(signal.SIGCHLD, _collect)
    sys.stdout.write("furnished\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
