"""What a device says of itself, text to data. Each parser gives None for what it does not know for sure.

The text is a device's and untrusted: sizes are bounded, nothing but printable characters comes out.
"""

from __future__ import annotations

import re

__all__ = [
    "clean_text",
    "parse_cpu_list",
    "parse_device_tree_texts",
    "parse_libc",
    "parse_loadavg",
    "parse_memory_bytes",
    "parse_os_name",
    "parse_page_bytes",
    "parse_uname",
]

_TEXT_CHARACTERS = 200
_FILE_CHARACTERS = 100_000
_TREE_STRINGS = 20
_LIST_CHARACTERS = 1000


def clean_text(text: str) -> str | None:
    """One line of printable characters, None for an empty one."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[:_TEXT_CHARACTERS]).split())
    return line or None


# 0-3,5-7
def parse_cpu_list(text: str) -> int | None:
    """How many CPUs a list such as /sys/devices/system/cpu/online names."""
    cpus: set[int] = set()
    if len(text) > _LIST_CHARACTERS:
        return None
    for part in text.strip().split(","):
        match = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", part, re.ASCII)
        if match is None:
            return None
        cpus.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return len(cpus) or None


# MemTotal:       24684096 kB
def parse_memory_bytes(text: str) -> int | None:
    """MemTotal of /proc/meminfo."""
    match = re.search(r"^MemTotal:\s+(\d{1,15}) kB$", text[:_FILE_CHARACTERS], re.MULTILINE | re.ASCII)
    return int(match[1]) * 1024 if match else None


# PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
def parse_os_name(text: str) -> str | None:
    """PRETTY_NAME of /etc/os-release, whose values may be quoted as in a shell (os-release(5))."""
    match = re.search(r"^PRETTY_NAME=(.*)$", text[:_FILE_CHARACTERS], re.MULTILINE)
    if match is None:
        return None
    value = match[1].strip()
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    return clean_text(re.sub(r"\\([\"'$`\\])", r"\1", value))


# uname -r -m gives: 6.12.47+rpt-rpi-2712 aarch64
def parse_uname(text: str) -> tuple[str, str] | None:
    """Kernel release and architecture."""
    match = re.fullmatch(r"([!-~]{1,200}) ([A-Za-z0-9_]{1,30})\n?", text, re.ASCII)
    return (match[1], match[2]) if match else None


# 0.16 0.12 0.09 1/234 5678
def parse_loadavg(text: str) -> float | None:
    """The load average of the last minute."""
    match = re.match(r"(\d{1,6}\.\d\d) \d{1,6}\.\d\d \d{1,6}\.\d\d ", text, re.ASCII)
    return float(match[1]) if match else None


# Raspberry Pi 5 Model B Rev 1.0\0
# raspberrypi,5-model-b\0brcm,bcm2712\0
def parse_device_tree_texts(text: str) -> tuple[str, ...]:
    """Strings of a property, each of which ends with NUL (Devicetree Specification 0.4, section 2.3.1)."""
    parts = text[:_FILE_CHARACTERS].split("\0")[:_TREE_STRINGS]
    return tuple(shown for part in parts if (shown := clean_text(part)))


# glibc 2.36                                      getconf GNU_LIBC_VERSION
# ldd (Debian GLIBC 2.36-9+deb12u9) 2.36          ldd --version
# musl libc (aarch64)
# Version 1.2.4
def parse_libc(text: str) -> str | None:
    """The C library: `glibc 2.36` or `musl 1.2.4`."""
    lines = [line[:_TEXT_CHARACTERS].strip() for line in text[:_FILE_CHARACTERS].splitlines() if line.strip()]
    first, second = [*lines[:2], "", ""][:2]
    if match := re.fullmatch(r"(?:glibc|ldd \(.*(?:GLIBC|GNU libc).*\)) (\d\.\d{1,3})", first, re.ASCII):
        return f"glibc {match[1]}"
    if first.startswith("musl libc"):
        version = re.fullmatch(r"Version (\d{1,3}(?:\.\d{1,3}){1,3})", second, re.ASCII)
        return f"musl {version[1]}" if version else "musl"
    return None


# KernelPageSize:       16 kB
def parse_page_bytes(text: str) -> int | None:
    """The page size, as a line of /proc/self/smaps (proc_pid_smaps(5))."""
    match = re.fullmatch(r"KernelPageSize: {1,20}(\d{1,4}) kB\s*", text, re.ASCII)
    return int(match[1]) * 1024 if match else None
