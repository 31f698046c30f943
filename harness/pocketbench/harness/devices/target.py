"""What a device is to an engine and to the runner: its platform, C library and pages, asked in one go."""

from __future__ import annotations

import re
import secrets

from pocketbench.harness.engines.target import Target
from pocketbench.harness.errors import DeviceError
from pocketbench.harness.transports.base import Transport

__all__ = ["UnsupportedDeviceError", "parse_target", "read_target"]

_TIMEOUT_S = 30.0
_OUTPUT_BYTES = 100_000
_LINUX = {"aarch64": "linux-aarch64", "arm64": "linux-aarch64", "x86_64": "linux-x86_64"}
_ANDROID = {"arm64-v8a": "android-arm64", "x86_64": "android-x86_64"}
_USUAL_PAGE_BYTES = 4096

# Every command is in busybox, and in the toybox and mksh of Android 7 (API 24); what a device lacks prints nothing.
# $1 divides the answers. A 64-bit kernel may run a 32-bit system: byte 5 of an ELF file says which, 1 or 2 (elf(5)).
_SCRIPT = """
divide() { echo "$1"; }
uname -s -m; divide "$1"
getprop ro.build.version.sdk 2>/dev/null; divide "$1"
getprop ro.product.cpu.abilist 2>/dev/null; divide "$1"
getconf GNU_LIBC_VERSION 2>/dev/null || ldd --version 2>&1 | head -n 1; divide "$1"
grep -m 1 KernelPageSize /proc/self/smaps 2>/dev/null; divide "$1"
shell=/bin/sh; [ -e "$shell" ] || shell=/system/bin/sh
dd if="$shell" bs=1 skip=4 count=1 2>/dev/null | od -An -tu1 2>/dev/null; divide "$1"
for file in /lib/*-linux-gnu/libstdc++.so.6 /usr/lib/*-linux-gnu/libstdc++.so.6 /usr/lib64/libstdc++.so.6 \\
    /usr/lib/libstdc++.so.6; do
  [ -e "$file" ] && { echo "$file"; grep -ao 'GLIBCXX_3\\.4\\.[0-9]*' "$file" 2>/dev/null | sort -u; break; }
done; divide "$1"
"""


class UnsupportedDeviceError(DeviceError):
    """A device that neither runner nor engines exist for."""


def read_target(transport: Transport) -> Target:
    """Ask the device; UnsupportedDeviceError where nothing of ours could run there."""
    divider = f"pocketbench-{secrets.token_hex(8)}"
    completed = transport.run(("sh", "-c", _SCRIPT, "sh", divider), timeout_s=_TIMEOUT_S)
    answers = completed.stdout[:_OUTPUT_BYTES].decode(errors="replace").replace("\r\n", "\n").split(f"{divider}\n")
    return parse_target([answer.strip() for answer in answers], transport.address)


def parse_target(answers: list[str], address: str) -> Target:
    """The answers of the script in their order."""
    names = ("uname", "sdk", "abis", "libc", "page", "elf_class", "libstdcxx")
    said = dict(zip(names, [*answers, *[""] * len(names)], strict=False))
    android_api = int(said["sdk"]) if re.fullmatch(r"\d{1,3}", said["sdk"], re.ASCII) else None
    if android_api is not None:
        platform = _android_platform(said["abis"], address)
    else:
        platform = _linux_platform(said["uname"], said["elf_class"], address)
    return Target(
        platform=platform,
        glibc=None if android_api is not None else _glibc(said["libc"]),
        page_size_bytes=_page_bytes(said["page"]),
        android_api=android_api,
        glibcxx=_glibcxx(said["libstdcxx"]),
    )


def _android_platform(abis: str, address: str) -> str:
    """ro.product.cpu.abilist: `arm64-v8a,armeabi-v7a,armeabi`, the preferred one first."""
    for abi in abis.split(","):
        if abi in _ANDROID:
            return _ANDROID[abi]
    raise UnsupportedDeviceError(
        f"{address}: expected an Android device with 64-bit programs ({', '.join(_ANDROID)}), got one with "
        f"{_shown(abis)}: pocketbench has no runner for it. Use a 64-bit device."
    )


def _linux_platform(uname: str, elf_class: str, address: str) -> str:
    """`Linux aarch64`, and the class of the device's own programs, which need not be the kernel's."""
    system, _, machine = uname.partition(" ")
    platform = _LINUX.get(machine) if system == "Linux" else None
    if platform is None:
        raise UnsupportedDeviceError(
            f"{address}: expected Linux on aarch64 or x86_64, got {_shown(uname)}: pocketbench has no runner for it. "
            "On a Raspberry Pi 3 or newer install the 64-bit Raspberry Pi OS."
        )
    if elf_class == "1":
        raise UnsupportedDeviceError(
            f"{address}: expected a 64-bit system, got 32-bit programs on a 64-bit kernel ({_shown(uname)}): install "
            "the 64-bit system, for example the 64-bit Raspberry Pi OS."
        )
    return platform


def _glibc(text: str) -> tuple[int, ...] | None:
    """`glibc 2.36` of getconf, or the first line of ldd: `ldd (Debian GLIBC 2.36-9+deb12u9) 2.36`; musl is None."""
    match = re.fullmatch(r"glibc (\d)\.(\d{1,3})", text) or re.search(r"(?:GLIBC|GNU libc).* (\d)\.(\d{1,3})$", text)
    return (int(match[1]), int(match[2])) if match else None


def _glibcxx(text: str) -> tuple[int, ...] | None:
    """The newest version that libstdc++ names; () where there is none, None where its file could not be searched."""
    if not text:
        return ()
    found = [int(number) for number in re.findall(r"^GLIBCXX_3\.4\.(\d{1,3})$", text, re.MULTILINE | re.ASCII)]
    return (3, 4, max(found)) if found else None


def _page_bytes(text: str) -> int:
    """`KernelPageSize:        4 kB` of /proc/self/smaps; 4096 where the kernel does not say."""
    match = re.fullmatch(r"KernelPageSize:\s+(\d{1,4}) kB", text, re.ASCII)
    return int(match[1]) * 1024 if match else _USUAL_PAGE_BYTES


def _shown(text: str) -> str:
    return repr(text[:100]) if text else "no answer"
