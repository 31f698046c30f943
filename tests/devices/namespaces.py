"""What the first processes of emulated devices share, which are root of namespaces made for them."""

from __future__ import annotations

import subprocess
from pathlib import Path

__all__ = ["emulate_arm64", "mount"]

# qemu's own registration, less the file system: type executable or shared, machine AArch64. The kernel opens the
# emulator at once (F), so that it need not be on the device, and programs see the name they were called by (P).
_MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
_MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
_BINFMT_MISC = Path("/proc/sys/fs/binfmt_misc")


def mount(*arguments: str | Path) -> None:
    """mount(8)."""
    subprocess.run(["mount", *arguments], check=True, stdin=subprocess.DEVNULL)


def emulate_arm64(qemu: str) -> None:
    """From now on programs for arm64 start in this user namespace, and nowhere else (Linux 6.7)."""
    mount("-t", "binfmt_misc", "binfmt_misc", _BINFMT_MISC)
    (_BINFMT_MISC / "register").write_text(f":qemu-aarch64:M::{_MAGIC}:{_MASK}:{qemu}:PF")
