"""/proc/cpuinfo of x86 and Arm kernels: which cores, and what all of them can."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pocketbench.device_profiles.arm_cores import core_name
from pocketbench.harness.devices.parsers import clean_text

__all__ = ["FEATURES", "CpuInfo", "Processor", "parse_cpuinfo"]

_FILE_CHARACTERS = 4_000_000  # 1024 x86 cores
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
    # Arm: Documentation/arch/arm64/elf_hwcaps.rst, and neon of 32-bit kernels. What Arm calls dotprod is asimddp, its
    # fp16 is fphp and asimdhp.
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
class Processor:
    """One logical CPU. `number` is the kernel's, None where it is none."""

    number: int | None
    implementer: int | None
    part: int | None
    model_name: str | None

    @property
    def core(self) -> str | None:
        """What the kernel or Arm calls it; the numbers where no table has them."""
        if self.implementer is None or self.part is None:
            return self.model_name
        known = core_name(self.implementer, self.part)
        return known or f"implementer {self.implementer:#x} part {self.part:#x}"


@dataclass(frozen=True, slots=True)
class CpuInfo:
    """`name` as the kernel or Arm calls the cores, `cores` how many are listed, `features` those all of them have.

    `serial` is the board's, which only Arm kernels print.
    """

    name: str | None
    cores: int | None
    features: tuple[str, ...]
    processors: tuple[Processor, ...] = ()
    serial: str | None = None


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
# Kernels before 3.19 give the features once, in that last paragraph. Phones may begin with a line
#   Processor	: AArch64 Processor rev 12 (aarch64)
def parse_cpuinfo(text: str) -> CpuInfo:
    """Read /proc/cpuinfo of an x86 or Arm kernel; cores that are switched off are not in it."""
    entries, machine = _paragraphs(text[:_FILE_CHARACTERS])
    if not 0 < len(entries) <= _CORES:
        return CpuInfo(None, None, ())
    processors = tuple(_processor(entry) for entry in entries)
    sets = [_feature_names(entry) for entry in entries]
    common = set.intersection(*sets) if any(sets) else _feature_names(machine)
    return CpuInfo(
        name=_cpu_name(processors),
        cores=len(processors),
        features=tuple(feature for feature in FEATURES if feature in common),
        processors=processors,
        serial=clean_text(machine.get("Serial", "")),
    )


def _paragraphs(text: str) -> tuple[list[dict[str, str]], dict[str, str]]:
    """What is said of each processor, and of the machine: a paragraph after the first processor that names none."""
    processors: list[dict[str, str]] = []
    machine: dict[str, str] = {}
    current: dict[str, str] = machine
    for line in text.splitlines():
        key, separator, value = line.partition(":")
        key = key.strip()
        if key == "processor" and separator:
            processors.append({})
            current = processors[-1]
        if separator:
            current.setdefault(key, value.strip())
        elif not line.strip():
            current = machine
    return processors, machine


def _processor(entry: dict[str, str]) -> Processor:
    number = entry["processor"]
    return Processor(
        number=int(number) if re.fullmatch(r"\d{1,4}", number, re.ASCII) else None,
        implementer=_hexadecimal(entry.get("CPU implementer", "")),
        part=_hexadecimal(entry.get("CPU part", "")),
        model_name=clean_text(entry.get("model name", "")),
    )


def _feature_names(entry: dict[str, str]) -> set[str]:
    return set((entry.get("flags") or entry.get("Features") or "").split())


def _cpu_name(processors: tuple[Processor, ...]) -> str | None:
    """`Intel(R) …` where the kernel names the cores; `4 x Cortex-A55 + 2 x Cortex-X1` where it gives part numbers."""
    counts: dict[str, int] = {}
    for processor in processors:
        name = processor.core
        if name is None:
            return None
        counts[name] = counts.get(name, 0) + 1
    if list(counts) == [processors[0].model_name]:
        return next(iter(counts))
    return clean_text(" + ".join(f"{count} x {name}" for name, count in counts.items()))


def _hexadecimal(text: str) -> int | None:
    return int(text, 16) if re.fullmatch(r"0x[0-9a-f]{1,8}", text) else None
