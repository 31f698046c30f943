"""A whole arm64 computer in qemu, with a kernel and a disk of its own: what a power cut does, it shows.

    with Arm64Vm(make_vm_parts(cache), tmp_path / "vm") as vm:
        vm.host, vm.port, vm.user, vm.key_file, vm.known_hosts_line()

`kill` is the power cut: what its kernel had not written to the disk is lost, and at the next start the file system's
journal is replayed. Unlike board.py's, whoever is connected is told (a FIN of this computer's own). It is slow, starts
in about 7 s, and has no thermal zone, no frequencies and no vcgencmd.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import platformdirs

from tests.devices.arm64_kernel import archive, make_arm64_kernel
from tests.devices.arm64_rootfs import make_arm64_root
from tests.devices.cache import made_once
from tests.devices.processes import end, start
from tests.devices.sshd import free_port, make_key
from tests.needs import require_program

__all__ = ["Arm64Vm", "VmParts", "main", "make_vm_parts"]

_QEMU = "qemu-system-aarch64"
_INSTALL_QEMU = "apt-get install qemu-system-arm"
_DISK_SIZE = "1G"
_MEMORY = "1G"
_START_S = 120.0

# The first program of the disk: what qemu's user network wants (its documentation, "Using the user mode network
# stack"), then the server. There is no one to tell when it is switched off.
_INIT = """\
#!/bin/sh
export PATH=/usr/sbin:/usr/bin
mkdir -p /dev/pts /dev/shm /run/sshd
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /tmp
hostname raspberrypi
busybox ip link set lo up
busybox ip address add 10.0.2.15/24 dev eth0
busybox ip link set eth0 up
busybox ip route add default via 10.0.2.2
exec /usr/sbin/sshd -D -e -f /run/board/sshd_config
"""
_SSHD_CONFIG = """\
Port 22
HostKey /run/board/host_key
AuthorizedKeysFile /run/board/authorized_keys
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
UseDNS no
PrintMotd no
PidFile none
"""


@dataclass(frozen=True, slots=True)
class VmParts:
    """What virtual machines are made of, and share: the kernel's folder, a disk as it is before the first start."""

    kernel: Path
    disk: Path


def make_vm_parts(cache: Path) -> VmParts:
    """Found in the folder `cache` or made there: 15 s and 230 MB with what boards share."""
    program = require_program("mke2fs", "apt-get install e2fsprogs")
    root = make_arm64_root(cache)

    def fill(folder: Path) -> None:
        command = [str(program), "-q", "-t", "ext4", "-d", str(root), str(folder / "disk"), _DISK_SIZE]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    disks = made_once(cache / f"{root.name}-{_DISK_SIZE}", fill).resolve()
    return VmParts(make_arm64_kernel(cache), disks / "disk")


class Arm64Vm:
    """A computer that is switched on and off as often as wanted; its disk and all else of it lie in `folder`."""

    host = "127.0.0.1"
    user = "root"

    def __init__(self, parts: VmParts, folder: Path) -> None:
        self._qemu = require_program(_QEMU, _INSTALL_QEMU)
        require_program("setpriv", "apt-get install util-linux")
        self.folder = folder
        self.key_file = folder / "client_key"
        self.port = free_port()
        self._parts = parts
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True)
        # The holes of a disk stay holes.
        subprocess.run(["cp", "--sparse=always", parts.disk, folder / "disk"], check=True)
        make_key(self.key_file)
        make_key(folder / "host_key")
        own = {
            "board/authorized_keys": self.key_file.with_suffix(".pub").read_bytes(),
            "board/host_key": (folder / "host_key").read_bytes(),
            "board/init": _INIT.encode(),
            "board/sshd_config": _SSHD_CONFIG.encode(),
        }
        (folder / "initrd").write_bytes((parts.kernel / "initrd").read_bytes() + archive(own))

    def start(self) -> None:
        """Switch it on and wait for its server; RuntimeError with its console where it does not come up."""
        with (self.folder / "qemu").open("ab") as log:
            self._process = start([str(self._qemu), *self._options()], log)
        deadline = time.monotonic() + _START_S
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the virtual machine did not start:\n{self.log()}")
            time.sleep(0.1)

    def kill(self) -> None:
        """Cut the power."""
        if self._process is not None:
            end(self._process)
            self._process = None

    def stop(self) -> None:
        """The same: there is nobody in it who would want to know before."""
        self.kill()

    def known_hosts_line(self) -> str:
        """What a known_hosts file says of it."""
        key_type, blob = (self.folder / "host_key.pub").read_text().split()[:2]
        return f"[{self.host}]:{self.port} {key_type} {blob}\n"

    def log(self) -> str:
        """What qemu and the console of the latest start said so far."""
        files = [self.folder / name for name in ("qemu", "console")]
        return "".join(file.read_text(errors="replace") for file in files if file.exists())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def _listens(self) -> bool:
        """qemu takes connections from the first moment on: what counts is who greets."""
        try:
            with socket.create_connection((self.host, self.port), timeout=5) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def _options(self) -> list[str]:
        return [
            *("-machine", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", _MEMORY, "-accel", "tcg,thread=multi"),
            *("-nodefaults", "-display", "none", "-serial", f"file:{self.folder / 'console'}"),
            *("-kernel", str(self._parts.kernel / "vmlinuz"), "-initrd", str(self.folder / "initrd")),
            *("-append", "console=ttyAMA0 quiet panic=-1", "-no-reboot"),
            *("-drive", f"file={self.folder / 'disk'},format=raw,if=none,id=disk"),
            *("-device", "virtio-blk-device,drive=disk", "-device", "virtio-rng-device"),
            *("-netdev", f"user,id=net,restrict=on,hostfwd=tcp:{self.host}:{self.port}-:22"),
            *("-device", "virtio-net-device,netdev=net"),
        ]


def main(arguments: Sequence[str]) -> None:
    """`python -m tests.devices vm`: run one until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.devices vm", description=__doc__.splitlines()[0])
    parser.parse_args(arguments)
    parts = make_vm_parts(platformdirs.user_cache_path("pocketbench-devices"))
    with tempfile.TemporaryDirectory(prefix="vm-") as folder, Arm64Vm(parts, Path(folder, "vm")) as vm:
        print(_GREETING.format(vm=vm), flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


_GREETING = """\
An arm64 computer, emulated, at ssh://{vm.user}@{vm.host}:{vm.port}
  log in with:   ssh-add {vm.key_file}
  register it:   pocketbench device add ssh://{vm.user}@{vm.host}:{vm.port} --name vm --directory /root/pocketbench
Ctrl-C switches it off."""
