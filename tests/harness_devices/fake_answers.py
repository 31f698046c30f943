"""Devices that consist of what they answer.

What the files of captures/ do not hold is put together from public listings of such devices and no capture of one.
"""

from __future__ import annotations

from pathlib import Path

from pocketbench.harness.devices.answers import Answers, split_answers
from pocketbench.harness.transports.base import Completed
from pocketbench.harness.transports.local import LocalTransport

__all__ = ["CAPTURES", "GALAXY_S24", "PHONE_PROPERTIES", "PIXEL_6", "PI_5", "Answering", "answers"]

CAPTURES = Path(__file__).parent / "captures"
_CPUFREQ = "/sys/devices/system/cpu/cpufreq"


class Answering(LocalTransport):
    """Answers the one command that devices are asked with, from `parts`; anything else is a fault of ours."""

    address = "ssh://board"

    def __init__(self, parts: dict[str, bytes], *, noise: bytes = b"", newline: bytes = b"\n") -> None:
        self._parts, self._noise, self._newline = parts, noise, newline
        self.calls = 0

    def run(self, argv, *, timeout_s, stdin=b""):
        self.calls += 1
        assert argv[:2] == ("sh", "-c")
        output = self._noise + printed(self._parts, argv[4])
        return Completed(tuple(argv), 1, output.replace(b"\n", self._newline), b"noise", 0.0)


def printed(parts: dict[str, bytes], mark: str) -> bytes:
    """As the script prints them."""
    return b"".join(f"\n{mark} {name}\n".encode() + body for name, body in parts.items()) + f"\n{mark} end\n".encode()


def answers(parts: dict[str, bytes]) -> Answers:
    """The same, taken apart."""
    return split_answers(printed(parts, "mark"), "mark")


def _policy(first: int, cpus: str, max_khz: int, governor: str = "schedutil") -> str:
    folder = f"{_CPUFREQ}/policy{first}"
    return f"{folder}/related_cpus {cpus}\n{folder}/cpuinfo_max_freq {max_khz}\n{folder}/scaling_governor {governor}\n"


def cpuinfo(cores: list[tuple[str, str]]) -> bytes:
    """Paragraphs of an arm64 kernel, one for each part and its features; all of Arm's make."""
    return "".join(
        f"processor\t: {index}\nBogoMIPS\t: 49.15\nFeatures\t: {features}\nCPU implementer\t: 0x41\n"
        f"CPU architecture: 8\nCPU variant\t: 0x1\nCPU part\t: {part}\nCPU revision\t: 0\n\n"
        for index, (part, features) in enumerate(cores)
    ).encode()


PI_5 = {
    "uname": b"6.12.47+rpt-rpi-2712 aarch64\n",
    "cpuinfo": (CAPTURES / "cpuinfo-raspberry-pi-5.txt").read_bytes(),
    "meminfo": b"MemTotal:        8256704 kB\nMemFree:         7000000 kB\n",
    "loadavg": b"0.16 0.12 0.09 1/234 5678\n",
    "os-release": b'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\n',
    "online": b"0-3\n",
    "tree-model": b"Raspberry Pi 5 Model B Rev 1.0\0",
    "tree-compatible": b"raspberrypi,5-model-b\0brcm,bcm2712\0",
    "tree-serial-number": b"1a2b3c4d5e6f7081\0",
    "machine-id": b"c0ffee00c0ffee00c0ffee00c0ffee00\n",
    "frequencies": _policy(0, "0 1 2 3", 2400000, "ondemand").encode(),
    "libc": b"glibc 2.36\n",
    "page": b"KernelPageSize:       16 kB\n",
    "place": b"/home/pi\n",
    "space": b"Filesystem     1024-blocks    Used Available Capacity Mounted on\n"
    b"/dev/mmcblk0p2    30425168 4716880  24369524      17% /\n",
    "mounts": b"/dev/mmcblk0p2 / ext4 rw,noatime 0 0\nproc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n",
}
# As Android prints a listing: in brackets, sorted, some of them empty or of more than one line.
PHONE_PROPERTIES = """\
[ro.board.platform]: [gs101]
[ro.boot.hardware]: [oriole]
[ro.build.fingerprint]: [google/oriole/oriole:14/AP2A.240805.005/12025142:user/release-keys]
[ro.build.version.release]: [14]
[ro.build.version.sdk]: [34]
[ro.build.version.security_patch]: [2024-08-05]
[ro.product.cpu.abilist]: [arm64-v8a,armeabi-v7a,armeabi]
[ro.product.manufacturer]: [Google]
[ro.product.model]: [Pixel 6]
[ro.serialno]: [1A051FDF6007XY]
[ro.soc.manufacturer]: [Google]
[ro.soc.model]: [GS101]
"""
_BIG = "fp asimd aes crc32 atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp"
PIXEL_6 = {
    "uname": b"5.10.198-android13-4 aarch64\n",
    "cpuinfo": cpuinfo([("0xd05", _BIG)] * 4 + [("0xd0b", _BIG)] * 2 + [("0xd44", f"{_BIG} i8mm")] * 2),
    "meminfo": b"MemTotal:        7757084 kB\n",
    "loadavg": b"",
    "online": b"0-7\n",
    "properties": PHONE_PROPERTIES.encode(),
    "frequencies": (
        _policy(0, "0 1 2 3", 1803000, "sched_pixel")
        + _policy(4, "4 5", 2253000, "sched_pixel")
        + _policy(6, "6 7", 2802000, "sched_pixel")
    ).encode(),
    "libc": b"/system/bin/sh: ldd: inaccessible or not found\n",
    "page": b"KernelPageSize:        4 kB\n",
    "place": b"/data/local/tmp\n",
    "space": b"Filesystem     1K-blocks     Used Available Use% Mounted on\n"
    b"/dev/block/dm-45 118552576 61234176  55318400  53% /data\n",
    "mounts": b"/dev/block/dm-45 /data f2fs rw,lazytime,seclabel,nosuid,nodev,noatime 0 0\n"
    b"/dev/fuse /storage/emulated fuse rw,lazytime,nosuid,nodev,noexec,noatime 0 0\n",
}
GALAXY_S24 = {
    **PIXEL_6,
    "properties": b"[ro.board.platform]: [exynos2400]\n[ro.build.version.release]: [16]\n[ro.build.version.sdk]: [36]\n"
    b"[ro.product.manufacturer]: [samsung]\n[ro.product.model]: [SM-S921B]\n[ro.soc.model]: []\n",
    "cpuinfo": cpuinfo([("0xd80", _BIG)] * 4 + [("0xd81", _BIG)] * 5 + [("0xd82", _BIG)]),
    "frequencies": (
        _policy(0, "0 1 2 3", 1959000)
        + _policy(4, "4 5", 2592000)
        + _policy(6, "6 7 8", 2899000)
        + _policy(9, "9", 3207000)
    ).encode(),
}
