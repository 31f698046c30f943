"""What a dynamic executable asks of its system: libraries, versions of their symbols, the loader.

Only as much of the ELF format (`man 5 elf`) as little-endian 64-bit files need.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

__all__ = ["MACHINES", "Needs", "needs_of"]

MACHINES = {62: "x86_64", 183: "aarch64"}
_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NEEDED, _DT_STRTAB, _DT_VERNEED, _DT_VERNEEDNUM = 1, 5, 0x6FFFFFFE, 0x6FFFFFFF


@dataclass(frozen=True, slots=True)
class Needs:
    """`versions` such as GLIBC_2.17; `alignment` is the least of the segments, in bytes."""

    machine: str
    interpreter: str
    libraries: tuple[str, ...]
    versions: tuple[str, ...]
    alignment: int


def needs_of(path: Path) -> Needs:
    """Read the headers of `path`."""
    data = path.read_bytes()
    assert data[:6] == b"\x7fELF\x02\x01"
    (machine,) = struct.unpack_from("<H", data, 18)
    (table,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    # p_type, p_flags, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align
    segments = [struct.unpack_from("<IIQQQQQQ", data, table + i * size) for i in range(count)]
    loads = [segment for segment in segments if segment[0] == _PT_LOAD]

    def offset_of(address: int) -> int:
        return next(int(address - load[3] + load[2]) for load in loads if load[3] <= address < load[3] + load[5])

    def text_at(offset: int) -> str:
        return data[offset : data.index(b"\0", offset)].decode()

    (dynamic,) = (segment for segment in segments if segment[0] == _PT_DYNAMIC)
    (interpreter,) = (segment for segment in segments if segment[0] == _PT_INTERP)
    entries = list(struct.iter_unpack("<qQ", data[dynamic[2] : dynamic[2] + dynamic[5]]))
    values = dict(entries)
    strings = offset_of(values[_DT_STRTAB])
    versions, need = [], offset_of(values[_DT_VERNEED])
    for _ in range(values[_DT_VERNEEDNUM]):
        _, auxiliary_count, _, first, following = struct.unpack_from("<HHIII", data, need)
        auxiliary = need + first
        for _ in range(auxiliary_count):
            name, step = struct.unpack_from("<II", data, auxiliary + 8)
            versions.append(text_at(strings + name))
            auxiliary += step
        need += following
    return Needs(
        MACHINES[machine],
        text_at(interpreter[2]),
        tuple(text_at(strings + value) for tag, value in entries if tag == _DT_NEEDED),
        tuple(sorted(set(versions))),
        min(load[7] for load in loads),
    )
