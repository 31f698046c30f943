"""Names of arm64 CPU cores by implementer and part number, as `/proc/cpuinfo` of an Arm kernel gives them:

    CPU implementer : 0x41
    CPU part        : 0xd0b

Numbers from the Linux kernel, arch/arm64/include/asm/cputype.h (ARM_CPU_IMP_…, …_CPU_PART_…); those marked with u from
util-linux, sys-utils/lscpu-arm.c. Kept to the cores that phones, boards and small servers with Linux or Android have.
"""

from __future__ import annotations

__all__ = ["ARM_CORES", "ARM_IMPLEMENTER", "core_name"]

ARM_IMPLEMENTER = 0x41
_HISILICON = 0x48
_NVIDIA = 0x4E
_QUALCOMM = 0x51
_SAMSUNG = 0x53
_APPLE = 0x61
_AMPERE = 0xC0

ARM_CORES: dict[int, str] = {
    0xD03: "Cortex-A53",
    0xD04: "Cortex-A35",
    0xD05: "Cortex-A55",
    0xD07: "Cortex-A57",
    0xD08: "Cortex-A72",
    0xD09: "Cortex-A73",
    0xD0A: "Cortex-A75",
    0xD0B: "Cortex-A76",
    0xD0C: "Neoverse-N1",
    0xD0D: "Cortex-A77",
    0xD0E: "Cortex-A76AE",
    0xD40: "Neoverse-V1",
    0xD41: "Cortex-A78",
    0xD42: "Cortex-A78AE",
    0xD44: "Cortex-X1",
    0xD46: "Cortex-A510",
    0xD47: "Cortex-A710",
    0xD48: "Cortex-X2",
    0xD49: "Neoverse-N2",
    0xD4B: "Cortex-A78C",
    0xD4C: "Cortex-X1C",
    0xD4D: "Cortex-A715",
    0xD4E: "Cortex-X3",
    0xD4F: "Neoverse-V2",
    0xD80: "Cortex-A520",
    0xD81: "Cortex-A720",
    0xD82: "Cortex-X4",
    0xD83: "Neoverse-V3AE",
    0xD84: "Neoverse-V3",
    0xD85: "Cortex-X925",
    0xD87: "Cortex-A725",
    0xD89: "Cortex-A720AE",
    0xD8A: "C1-Nano",  # u
    0xD8B: "C1-Pro",  # u
    0xD8C: "C1-Ultra",  # u
    0xD8E: "Neoverse-N3",
    0xD90: "C1-Premium",  # u
}

# Qualcomm's later Kryo cores show Arm's own numbers, but for the small ones of Kryo 5xx, which show those of 4xx
# (cputype.h, "NOTES").
_OTHER_CORES: dict[tuple[int, int], str] = {
    (_HISILICON, 0xD01): "TaiShan-v110",
    (_HISILICON, 0xD40): "Cortex-A76",  # u: Kirin 980
    (_NVIDIA, 0x003): "Denver 2",  # u
    (_NVIDIA, 0x004): "Carmel",
    (_QUALCOMM, 0x001): "Oryon",  # u
    (_QUALCOMM, 0x201): "Kryo",  # u
    (_QUALCOMM, 0x205): "Kryo",  # u
    (_QUALCOMM, 0x211): "Kryo",  # u
    (_QUALCOMM, 0x800): "Kryo 2xx Gold",
    (_QUALCOMM, 0x801): "Kryo 2xx Silver",
    (_QUALCOMM, 0x802): "Kryo 3xx Gold",
    (_QUALCOMM, 0x803): "Kryo 3xx Silver",
    (_QUALCOMM, 0x804): "Kryo 4xx Gold",
    (_QUALCOMM, 0x805): "Kryo 4xx Silver",
    (_SAMSUNG, 0x001): "Exynos M1",  # u
    (_SAMSUNG, 0x002): "Exynos M3",  # u
    (_SAMSUNG, 0x003): "Exynos M4",  # u
    (_SAMSUNG, 0x004): "Exynos M5",  # u
    (_APPLE, 0x022): "M1 Icestorm",
    (_APPLE, 0x023): "M1 Firestorm",
    (_APPLE, 0x024): "M1 Pro Icestorm",
    (_APPLE, 0x025): "M1 Pro Firestorm",
    (_APPLE, 0x028): "M1 Max Icestorm",
    (_APPLE, 0x029): "M1 Max Firestorm",
    (_APPLE, 0x032): "M2 Blizzard",
    (_APPLE, 0x033): "M2 Avalanche",
    (_APPLE, 0x034): "M2 Pro Blizzard",
    (_APPLE, 0x035): "M2 Pro Avalanche",
    (_APPLE, 0x038): "M2 Max Blizzard",
    (_APPLE, 0x039): "M2 Max Avalanche",
    (_AMPERE, 0xAC3): "Ampere-1",
    (_AMPERE, 0xAC4): "Ampere-1a",
}


def core_name(implementer: int, part: int) -> str | None:
    """The core's name, or None where it is in neither table."""
    return ARM_CORES.get(part) if implementer == ARM_IMPLEMENTER else _OTHER_CORES.get((implementer, part))
