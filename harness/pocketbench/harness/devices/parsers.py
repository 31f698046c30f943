"""What a device says of itself, text to data. Each parser gives None for what it does not know for sure.

The text is a device's and untrusted: sizes are bounded, nothing but printable characters comes out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pocketbench.device_profiles.arm_cores import core_name

__all__ = [
    "FEATURES",
    "CpuInfo",
    "clean_text",
    "parse_cpu_list",
    "parse_cpuinfo",
    "parse_device_tree_model",
    "parse_loadavg",
    "parse_memory_bytes",
    "parse_os_name",
    "parse_uname",
]

_TEXT_CHARACTERS = 200
_FILE_CHARACTERS = 4_000_000  # /proc/cpuinfo of 1024 x86 cores
_CORES = 4096
# What decides how fast float16 and int8 run, by the names that the kernel gives; the order is that of the report.
FEATURES = (
    # x86: arch/x86/include/asm/cpufeatures.h
    "avx",
    "f16c",
    "fma",
    "avx2",
    "avx_vnni",
    "avx_vnni_int8",
    "avx512f",
    "avx512bw",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_tile",
    "amx_bf16",
    "amx_int8",
    # Arm: Documentation/arch/arm64/elf_hwcaps.rst, and neon of 32-bit kernels
    "neon",
    "asimd",
    "fphp",
    "asimdhp",
    "asimddp",
    "i8mm",
    "bf16",
    "sve",
    "sve2",
    "svei8mm",
    "svebf16",
    "sme",
    "smei8i32",
)


@dataclass(frozen=True, slots=True)
class CpuInfo:
    """`name` as the kernel or Arm calls the cores, `cores` how many are listed, `features` those all of them have."""

    name: str | None
    cores: int | None
    features: tuple[str, ...]


def clean_text(text: str) -> str | None:
    """One line of printable characters, None for an empty one."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[:_TEXT_CHARACTERS]).split())
    return line or None


# x86-64 (one paragraph per core):
#   processor	: 0
#   model name	: Intel(R) Core(TM) i7-1260P
#   flags		: fpu vme … avx2 … avx_vnni …
# arm64:
#   processor	: 0
#   Features	: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
#   CPU implementer	: 0x41
#   CPU part	: 0xd0b
# followed on a Raspberry Pi by a paragraph with "Hardware : BCM2835" (false on every model), Revision, Serial, Model.
def parse_cpuinfo(text: str) -> CpuInfo:
    """Read /proc/cpuinfo of an x86 or Arm kernel."""
    processors: list[dict[str, str]] = []
    for line in text[:_FILE_CHARACTERS].splitlines():
        key, separator, value = line.partition(":")
        if not separator:
            continue
        if key.strip() == "processor":
            processors.append({})
        if processors:
            processors[-1].setdefault(key.strip(), value.strip())
    if not 0 < len(processors) <= _CORES:
        return CpuInfo(None, None, ())
    return CpuInfo(_cpu_name(processors), len(processors), _common_features(processors))


def _cpu_name(processors: list[dict[str, str]]) -> str | None:
    """`Intel(R) …` where the kernel names the cores; `4 x Cortex-A55 + 2 x Cortex-X1` where it gives part numbers."""
    counts: dict[str, int] = {}
    for processor in processors:
        name = _arm_core(processor) or clean_text(processor.get("model name", ""))
        if name is None:
            return None
        counts[name] = counts.get(name, 0) + 1
    if list(counts) == [processors[0].get("model name")]:
        return next(iter(counts))
    return clean_text(" + ".join(f"{count} x {name}" for name, count in counts.items()))


def _arm_core(processor: dict[str, str]) -> str | None:
    implementer, part = (_hexadecimal(processor.get(key, "")) for key in ("CPU implementer", "CPU part"))
    if implementer is None or part is None:
        return None
    return core_name(implementer, part) or f"implementer {implementer:#x} part {part:#x}"


def _hexadecimal(text: str) -> int | None:
    return int(text, 16) if re.fullmatch(r"0x[0-9a-f]{1,8}", text) else None


def _common_features(processors: list[dict[str, str]]) -> tuple[str, ...]:
    sets = [set((p.get("flags") or p.get("Features") or "").split()) for p in processors]
    common = set.intersection(*sets)
    return tuple(feature for feature in FEATURES if feature in common)


# 0-3,5-7
def parse_cpu_list(text: str) -> int | None:
    """How many CPUs a list such as /sys/devices/system/cpu/online names."""
    cpus: set[int] = set()
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
def parse_device_tree_model(text: str) -> str | None:
    """The model of the device tree, which ends with NUL and has no newline."""
    return clean_text(text.split("\0", 1)[0])
