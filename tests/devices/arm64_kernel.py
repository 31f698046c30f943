"""Debian's kernel for arm64 and the first files in memory that it starts from: drivers for a disk and a network."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.devices.arm64_rootfs import BOOKWORM
from tests.devices.cache import made_once
from tests.devices.debian import unpack_packages

__all__ = ["archive", "make_arm64_kernel"]

# Of qemu's devices, the journal's checksum (a "softdep" of ext4, which nothing but the file itself tells), its disk.
_MODULES = ("virtio_mmio", "virtio_blk", "virtio_net", "virtio_rng", "crc32c_generic", "ext4")
# /board is what arm64_vm.py adds; from there on the disk's own programs run.
_INIT = """\
#!/bin/busybox sh
busybox mount -t proc proc /proc
busybox mount -t sysfs sys /sys
busybox mount -t devtmpfs dev /dev
for module in $(busybox cat /modules/order); do busybox insmod /modules/$module; done
until [ -b /dev/vda ]; do busybox sleep 0.1; done
busybox mount -t ext4 /dev/vda /disk
busybox mount -t tmpfs run /disk/run
busybox cp -r /board /disk/run/board
for folder in dev proc sys; do busybox mount --move /$folder /disk/$folder; done
exec busybox switch_root /disk /run/board/init
"""


def make_arm64_kernel(cache: Path) -> Path:
    """A folder with `vmlinuz` and `initrd`, found in the folder `cache` or made there: 35 MB, 7 s."""
    key = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    return made_once(cache / f"arm64-kernel-{key}", _fill).resolve()


def _fill(folder: Path) -> None:
    work = folder / "work"
    packages = ("busybox-static", "linux-image-arm64")
    unpack_packages(packages, "arm64", work / "root", work, release=BOOKWORM, needed=True)
    (kernel,) = (work / "root/boot").glob("vmlinuz-*")
    shutil.copy(kernel, folder / "vmlinuz")
    files = {"bin/busybox": (work / "root/bin/busybox").read_bytes(), "init": _INIT.encode()}
    modules = _with_needed(work / "root/lib/modules")
    files |= {f"modules/{path.name}": path.read_bytes() for path in modules}
    files["modules/order"] = "".join(f"{path.name}\n" for path in modules).encode()
    (folder / "initrd").write_bytes(archive(files, ("dev", "disk", "proc", "sys")))
    shutil.rmtree(work)


def _with_needed(folder: Path) -> list[Path]:
    """The files of _MODULES and of those that they need, which come first; what is not there is in the kernel."""
    there = {_name(path.stem): path for path in folder.rglob("*.ko")}
    order: list[Path] = []

    def add(name: str) -> None:
        path = there.get(_name(name))
        if path is None or path in order:
            return
        # modinfo(8): strings NAME=VALUE with zeros between them.
        needed = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
        for other in needed[1].decode().split(",") if needed else ():
            add(other)
        order.append(path)

    for name in _MODULES:
        add(name)
    return order


def _name(name: str) -> str:
    """Files and modules that need them do not agree on hyphens."""
    return name.replace("-", "_")


def archive(files: Mapping[str, bytes], folders: tuple[str, ...] = ()) -> bytes:
    """A cpio archive as the kernel takes it (Documentation/driver-api/early-userspace/buffer-format.rst).

    All is root's and only root's; several may follow each other in one file.
    """
    parents = {str(parent) for name in files for parent in Path(name).parents} - {"."}
    entries = [(name, b"", 0o040755) for name in sorted({*folders, *parents}, key=lambda name: name.count("/"))]
    entries += [(name, data, 0o100700) for name, data in files.items()]
    return b"".join(_entry(*entry) for entry in [*entries, ("TRAILER!!!", b"", 0)])


def _entry(name: str, data: bytes, mode: int) -> bytes:
    # ino, mode, uid, gid, nlink, mtime, size, device and rdevice twice, length of the name, checksum
    numbers = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    header = "070701" + "".join(f"{number:08x}" for number in numbers) + name + "\0"
    return _padded(header.encode()) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
