"""A file tree as a phone has it: Android's shell and tools for arm64, and no C library but the stand-in for bionic.

The shell is mksh, as on every phone. The tools are busybox's, under the names that Android 8 has (AOSP system/core,
shell_and_utilities/README.md), less those that busybox lacks; on a phone they are toybox's, and print some tables
differently. /system/bin/linker64 is android_stand_in. What android_device.py adds when it starts is not in here.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.devices import android_stand_in
from tests.devices.cache import made_once
from tests.devices.debian import unpack_packages
from tests.needs import require_program

__all__ = ["CORES", "INSTALL_QEMU", "PROPERTIES", "QEMU", "make_android_root"]

QEMU = "qemu-aarch64-static"
INSTALL_QEMU = "apt-get install qemu-user-static"

# What it says it is: a phone of nobody's make, with a chip of four small cores and four big ones.
PROPERTIES = {
    "ro.board.platform": "pocket",
    "ro.build.fingerprint": "pocketbench/phone/phone:8.0.0/OPR1.170623.026/1:user/release-keys",
    "ro.build.version.release": "8.0.0",
    "ro.build.version.sdk": "26",
    "ro.product.cpu.abi": "arm64-v8a",
    "ro.product.cpu.abilist": "arm64-v8a",
    "ro.product.manufacturer": "pocketbench",
    "ro.product.model": "Test phone",
    "ro.serialno": "PB0123456789",
    "ro.soc.model": "PB1",
}
# Arm's part numbers (Cortex-A55 and A78), and the greatest frequency in kHz.
CORES = ((0xD05, 1_800_000),) * 4 + ((0xD41, 2_400_000),) * 4

_TOOLS = """
acpi base64 basename blockdev bunzip2 bzcat bzip2 cal cat chcon chgrp chmod chown chroot chrt cksum clear cmp comm cp
cpio cut date dd df diff dirname dmesg dos2unix du echo env expand expr fallocate false file find flock free getenforce
getevent grep groups gunzip gzip head hostname hwclock id ifconfig inotifyd insmod ionice iorenice kill killall ln
load_policy log logname losetup ls lsmod lsof lspci lsusb md5sum microcom mkdir mkfifo mknod mkswap mktemp modinfo
modprobe more mount mountpoint mv netstat newfs_msdos nice nl nohup od paste patch pgrep pidof pkill pmap printenv
printf ps pwd readlink realpath renice restorecon rm rmdir rmmod runcon sed sendevent seq setenforce setsid sha1sum
sha224sum sha256sum sha384sum sha512sum sleep sort split start stat stop strings swapoff swapon sync sysctl tac tail tar
taskset tee time timeout top touch tr true truncate tty ulimit umount uname uniq unix2dos uptime usleep uudecode
uuencode vmstat wc which whoami xargs xxd yes zcat
"""
_GETPROP = """\
#!/system/bin/sh
# getprop [NAME]: of the lines NAME=VALUE in /system/build.prop
while IFS== read -r name value; do
  if [ $# = 0 ]; then echo "[$name]: [$value]"; elif [ "$name" = "$1" ]; then echo "$value"; exit; fi
done < /system/build.prop
[ $# = 0 ] || echo
"""
_FEATURES = "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"
_FOLDERS = (
    *("apex/com.android.adbd", "data/local/tmp", "dev", "etc", "proc", "sdcard", "storage", "system/bin"),
    *("system/etc", "system/lib64", "vendor"),
)


def make_android_root(folder: Path) -> Path:
    """The tree below `folder`, made where it is not there yet: about 3 s, and half a minute for the first linker64."""
    require_program(QEMU, INSTALL_QEMU)
    made_from = (Path(__file__), Path(android_stand_in.__file__), *android_stand_in.sources())
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in made_from)).hexdigest()
    return made_once(folder / f"android-root-{digest[:16]}", _fill)


def _fill(root: Path) -> None:
    for name in _FOLDERS:
        (root / name).mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=root) as scrap:
        unpacked, tools = Path(scrap) / "packages", root / "system/bin"
        unpack_packages(("busybox-static", "mksh"), "arm64", unpacked, Path(scrap), needed=False)
        shutil.copy(unpacked / "usr/lib/aarch64-linux-musl/bin/mksh", tools / "sh")  # the one without a loader
        shutil.copy(unpacked / "bin/busybox", tools / "busybox")
        shutil.copy(android_stand_in.build_linker("android-arm64", Path(scrap) / "linker"), tools / "linker64")
    command = (QEMU, tools / "busybox", "--list")
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    for name in sorted(set(_TOOLS.split()) & set(listed)):
        (tools / name).symlink_to("busybox")
    (root / "bin").symlink_to("/system/bin")
    (tools / "getprop").write_text(_GETPROP)
    (tools / "getprop").chmod(0o755)
    (root / "system/build.prop").write_text("".join(f"{name}={value}\n" for name, value in PROPERTIES.items()))
    _write_processors(root)


def _write_processors(root: Path) -> None:
    """What the kernel says of the processors; qemu 7.2 shows this computer's own, which crashes cpuinfo in engines."""
    text = []
    cpu = root / "sys/devices/system/cpu"
    for number, (part, greatest_khz) in enumerate(CORES):
        text.append(
            f"processor\t: {number}\nBogoMIPS\t: 38.40\nFeatures\t: {_FEATURES}\nCPU implementer\t: 0x41\n"
            f"CPU architecture: 8\nCPU variant\t: 0x1\nCPU part\t: 0x{part:03x}\nCPU revision\t: 0\n\n"
        )
        cluster = f"{number // 4 * 4}-{number // 4 * 4 + 3}"
        for path, value in {
            "topology/physical_package_id": "0",
            "topology/core_siblings_list": cluster,
            "topology/cluster_cpus_list": cluster,
            "cpufreq/cpuinfo_max_freq": str(greatest_khz),
            "cpufreq/cpuinfo_min_freq": "300000",
            "cpufreq/scaling_cur_freq": "300000",
            "cpufreq/scaling_governor": "schedutil",
        }.items():
            target = cpu / f"cpu{number}" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(f"{value}\n")
    for name in ("possible", "present", "online"):
        (cpu / name).write_text(f"0-{len(CORES) - 1}\n")
    (cpu / "kernel_max").write_text(f"{len(CORES) - 1}\n")
    (root / "system/etc/cpuinfo").write_text("".join(text))
