"""Names of Arm's CPU cores by part number, as `/proc/cpuinfo` of an Arm kernel gives it:

    CPU implementer : 0x41
    CPU part        : 0xd0b

Numbers from the Linux kernel, arch/arm64/include/asm/cputype.h (ARM_CPU_PART_…, implementer ARM_CPU_IMP_ARM).
Kept to the cores that phones and small boards with Linux or Android have.
"""

from __future__ import annotations

__all__ = ["ARM_CORES", "ARM_IMPLEMENTER", "core_name"]

ARM_IMPLEMENTER = 0x41

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
    0xD40: "Neoverse-V1",
    0xD41: "Cortex-A78",
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
    0xD85: "Cortex-X925",
    0xD87: "Cortex-A725",
}


def core_name(implementer: int, part: int) -> str | None:
    """The core's name, or None where it is not one of Arm's in the table."""
    return ARM_CORES.get(part) if implementer == ARM_IMPLEMENTER else None
