"""What a dynamic executable asks of its system: loader, libraries, their symbols and versions, pages.

Only as much of the ELF format (`man 5 elf`) as little-endian 64-bit files need.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

__all__ = ["MACHINES", "Needs", "needs_of"]

MACHINES = {62: "x86_64", 183: "aarch64"}
_ET_DYN = 3
_PT_LOAD, _PT_DYNAMIC, _PT_INTERP, _PT_NOTE, _PT_TLS = 1, 2, 3, 4, 7
_PT_GNU_STACK, _PT_GNU_RELRO = 0x6474E551, 0x6474E552
_PF_X, _PF_W = 1, 2
_DT_NEEDED, _DT_HASH, _DT_STRTAB, _DT_SYMTAB, _DT_RPATH, _DT_TEXTREL, _DT_RUNPATH = 1, 4, 5, 6, 15, 22, 29
_DT_VERNEED, _DT_VERNEEDNUM = 0x6FFFFFFE, 0x6FFFFFFF
_SHN_UNDEF = 0


@dataclass(frozen=True, slots=True)
class Needs:
    """`versions` such as GLIBC_2.17; `alignment` is the least of the segments, in bytes; `imports` needs DT_HASH.

    `read_only_end` is the address up to which memory becomes read-only after start; `notes` is name, type, content.
    `faults` has what a careful loader refuses or warns of, in words.
    """

    machine: str
    interpreter: str
    libraries: tuple[str, ...]
    versions: tuple[str, ...]
    imports: frozenset[str]
    alignment: int
    read_only_end: int | None
    notes: tuple[tuple[str, int, bytes], ...]
    faults: tuple[str, ...]


class _File:
    def __init__(self, data: bytes) -> None:
        assert data[:6] == b"\x7fELF\x02\x01"
        self.data = data
        self.kind, machine = struct.unpack_from("<HH", data, 16)
        self.machine = MACHINES[machine]
        (table,) = struct.unpack_from("<Q", data, 32)
        size, count = struct.unpack_from("<HH", data, 54)
        # p_type, p_flags, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align
        self.segments = [struct.unpack_from("<IIQQQQQQ", data, table + i * size) for i in range(count)]
        (dynamic,) = self.of_kind(_PT_DYNAMIC)
        self.entries = list(struct.iter_unpack("<qQ", data[dynamic[2] : dynamic[2] + dynamic[5]]))
        self.values = dict(self.entries)

    def of_kind(self, kind: int) -> list[tuple[int, ...]]:
        return [segment for segment in self.segments if segment[0] == kind]

    def offset_of(self, address: int) -> int:
        loads = self.of_kind(_PT_LOAD)
        return next(address - load[3] + load[2] for load in loads if load[3] <= address < load[3] + load[5])

    def text_at(self, offset: int) -> str:
        return self.data[offset : self.data.index(b"\0", offset)].decode()

    def string(self, index: int) -> str:
        return self.text_at(self.offset_of(self.values[_DT_STRTAB]) + index)

    def versions(self) -> set[str]:
        found: set[str] = set()
        if _DT_VERNEED not in self.values:
            return found
        need = self.offset_of(self.values[_DT_VERNEED])
        for _ in range(self.values[_DT_VERNEEDNUM]):
            _, auxiliary_count, _, first, following = struct.unpack_from("<HHIII", self.data, need)
            auxiliary = need + first
            for _ in range(auxiliary_count):
                name, step = struct.unpack_from("<II", self.data, auxiliary + 8)
                found.add(self.string(name))
                auxiliary += step
            need += following
        return found

    def imports(self) -> set[str]:
        if _DT_HASH not in self.values:
            return set()
        _, count = struct.unpack_from("<II", self.data, self.offset_of(self.values[_DT_HASH]))
        table = self.offset_of(self.values[_DT_SYMTAB])
        # st_name, st_info, st_other, st_shndx, st_value, st_size
        symbols = [struct.unpack_from("<IBBHQQ", self.data, table + 24 * i) for i in range(1, count)]
        return {self.string(symbol[0]) for symbol in symbols if symbol[3] == _SHN_UNDEF}

    def notes(self) -> tuple[tuple[str, int, bytes], ...]:
        found = []
        for segment in self.of_kind(_PT_NOTE):
            position, end = segment[2], segment[2] + segment[5]
            while position < end:
                name_size, size, kind = struct.unpack_from("<III", self.data, position)
                content = position + 12 + (name_size + 3) // 4 * 4
                found.append((self.text_at(position + 12), kind, self.data[content : content + size]))
                position = content + (size + 3) // 4 * 4
        return tuple(found)

    def faults(self) -> list[str]:
        found = []
        if self.kind != _ET_DYN:
            found.append("not position-independent")
        if self.of_kind(_PT_TLS):
            found.append("thread-local variables")
        if any(segment[1] & _PF_X and segment[1] & _PF_W for segment in self.of_kind(_PT_LOAD)):
            found.append("a segment that is writable and executable")
        if any(segment[1] & _PF_X for segment in self.of_kind(_PT_GNU_STACK)):
            found.append("an executable stack")
        if _DT_TEXTREL in self.values:
            found.append("text relocations")
        if _DT_RPATH in self.values or _DT_RUNPATH in self.values:
            found.append("a path for libraries")
        return found


def needs_of(path: Path) -> Needs:
    """Read the headers of `path`."""
    file = _File(path.read_bytes())
    (interpreter,) = file.of_kind(_PT_INTERP)
    read_only = file.of_kind(_PT_GNU_RELRO)
    return Needs(
        machine=file.machine,
        interpreter=file.text_at(interpreter[2]),
        libraries=tuple(file.string(value) for tag, value in file.entries if tag == _DT_NEEDED),
        versions=tuple(sorted(file.versions())),
        imports=frozenset(file.imports()),
        alignment=min(load[7] for load in file.of_kind(_PT_LOAD)),
        read_only_end=read_only[0][3] + read_only[0][6] if read_only else None,
        notes=file.notes(),
        faults=tuple(file.faults()),
    )
