"""What a shared library is and asks of its system, read from its ELF headers (`man 5 elf`).

Only 64-bit little-endian files: all four platforms are that. The file may be anybody's: every offset is checked and
every loop is bounded, so whatever is not a plain library ends in InputError.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pocketbench.checked.errors import InputError

__all__ = ["MACHINES", "Elf", "read_elf", "read_elf_file"]

MACHINES = {62: "x86_64", 183: "aarch64"}
_SHARED = 3  # ET_DYN
_PT_LOAD, _PT_DYNAMIC, _PT_INTERP, _PT_NOTE = 1, 2, 3, 4
_DT_NEEDED, _DT_HASH, _DT_STRTAB, _DT_SYMTAB, _DT_STRSZ = 1, 4, 5, 6, 10
_DT_GNU_HASH = 0x6FFFFEF5
_DT_VERDEF, _DT_VERDEFNUM, _DT_VERNEED, _DT_VERNEEDNUM = 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF
_SYMBOL_BYTES = 24  # Elf64_Sym
_BINDINGS, _VISIBILITIES = (1, 2), (0, 3)  # what dlsym() finds: global or weak; default or protected
# The largest libraries that we know (TensorFlow's) stay far below these.
_SEGMENTS, _DYNAMIC_ENTRIES, _VERSIONS, _SYMBOLS, _NAME_BYTES = 200, 4000, 4000, 2_000_000, 4000
_NOTE_BYTES = 65_536

Bytes = bytes | mmap.mmap


class _DamagedError(Exception):
    """An offset or a count that leads out of the file."""


@dataclass(frozen=True, slots=True)
class Elf:
    """`needed` are the libraries it asks for by name, `version_needs` the symbol versions it asks of them (GLIBC_2.34),
    `versions` those it defines itself, `exports` those of the wanted names that dlsym() finds in it.

    `alignment_bytes` is the least of its loadable segments: no system with larger pages can map it. `is_android` is
    true where it carries the mark of Android's start files.
    """

    machine: str
    needed: tuple[str, ...]
    version_needs: tuple[str, ...]
    versions: tuple[str, ...]
    exports: frozenset[str]
    alignment_bytes: int
    is_android: bool
    has_interpreter: bool


def read_elf_file(path: Path, wanted: Collection[str] = ()) -> Elf:
    """Read the headers of `path`; InputError where it is no shared library of ours or cannot be read."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return read_elf(data, path.name, wanted)
    except OSError as error:
        raise InputError(f"expected a library that can be read, got {path}: {error.strerror}.") from error
    except ValueError as error:  # an empty file cannot be mapped
        raise InputError(f"expected a shared library, got {path.name}, which is empty.") from error


def read_elf(data: Bytes, name: str, wanted: Collection[str] = ()) -> Elf:
    """Read the headers in `data`, looking for the exported functions `wanted`; `name` is for messages."""
    if data[:4] != b"\x7fELF":
        raise InputError(f"expected a shared library (ELF), got {name!r}, which is none.")
    if data[4:6] != b"\x02\x01":
        raise InputError(f"expected a 64-bit little-endian library, got {name!r}: take the build for arm64 or x86-64.")
    try:
        return _Reader(data, name).elf(wanted)
    except _DamagedError as error:
        raise InputError(f"expected a whole shared library, got {name!r}, which is damaged: {error}.") from error


class _Reader:
    def __init__(self, data: Bytes, name: str) -> None:
        self._data, self._name = data, name
        kind, machine = self._unpack("<HH", 16)
        if machine not in MACHINES:
            raise InputError(
                f"expected a library for {' or '.join(sorted(MACHINES.values()))}, got {name!r} for another machine "
                f"(ELF machine {machine}): take the build for arm64 or x86-64."
            )
        if kind != _SHARED:
            raise InputError(f"expected a shared library, got {name!r}, which is of another ELF type ({kind}).")
        self._machine = MACHINES[machine]
        self._segments = self._read_segments()
        self._dynamic = self._read_dynamic()
        self._values = dict(self._dynamic)

    def elf(self, wanted: Collection[str]) -> Elf:
        loads = [segment for segment in self._segments if segment[0] == _PT_LOAD]
        return Elf(
            machine=self._machine,
            needed=tuple(self._string(value) for tag, value in self._dynamic if tag == _DT_NEEDED),
            version_needs=tuple(sorted(set(self._version_needs()))),
            versions=tuple(sorted(set(self._version_definitions()))),
            exports=frozenset(self._exports(frozenset(wanted))),
            alignment_bytes=min((load[7] for load in loads), default=0),
            is_android=any(self._is_android_note(segment) for segment in self._segments if segment[0] == _PT_NOTE),
            has_interpreter=any(segment[0] == _PT_INTERP for segment in self._segments),
        )

    def _unpack(self, format: str, offset: int) -> tuple[int, ...]:  # noqa: A002 as struct calls it
        if not 0 <= offset <= len(self._data) - struct.calcsize(format):
            raise _DamagedError(f"offset {offset:#x} leads out of its {len(self._data)} bytes")
        return struct.unpack_from(format, self._data, offset)

    def _read_segments(self) -> list[tuple[int, ...]]:
        """Each: type, flags, offset, address, physical address, bytes in the file, bytes in memory, alignment."""
        (table,), (size, count) = self._unpack("<Q", 32), self._unpack("<HH", 54)
        if size != 56 or count > _SEGMENTS:
            raise _DamagedError(f"{count} program headers of {size} bytes")
        return [self._unpack("<IIQQQQQQ", table + i * size) for i in range(count)]

    def _read_dynamic(self) -> list[tuple[int, int]]:
        found = [segment for segment in self._segments if segment[0] == _PT_DYNAMIC]
        if len(found) != 1:
            raise _DamagedError(f"{len(found)} dynamic sections")
        entries = []
        for i in range(min(found[0][5] // 16, _DYNAMIC_ENTRIES)):
            tag, value = self._unpack("<QQ", found[0][2] + i * 16)
            if tag == 0:
                break
            entries.append((tag, value))
        return entries

    def _offset_of(self, address: int) -> int:
        for kind, _, offset, start, _, size, *_ in self._segments:
            if kind == _PT_LOAD and start <= address < start + size:
                return address - start + offset
        raise _DamagedError(f"address {address:#x} is in no segment")

    def _table(self, tag: int) -> int | None:
        return self._offset_of(self._values[tag]) if tag in self._values else None

    def _string(self, index: int) -> str:
        strings = self._table(_DT_STRTAB)
        if strings is None or index >= self._values.get(_DT_STRSZ, 0):
            raise _DamagedError(f"name {index:#x} is not in its string table")
        start = strings + index
        end = self._data.find(b"\0", start, start + _NAME_BYTES)
        name = self._data[start:end] if end >= 0 else b"\xff"
        if not name.isascii() or not name.decode("ascii").isprintable():
            raise _DamagedError(f"name {index:#x} is not a printable string")
        return name.decode("ascii")

    def _version_needs(self) -> Iterator[str]:
        need, left = self._table(_DT_VERNEED), _VERSIONS
        if need is None:
            return
        for _ in range(min(self._values.get(_DT_VERNEEDNUM, 0), _VERSIONS)):
            _, count, _, first, following = self._unpack("<HHIII", need)
            auxiliary = need + first
            for _ in range(count):
                if (left := left - 1) < 0:
                    raise _DamagedError(f"more than {_VERSIONS} symbol versions")
                name, step = self._unpack("<II", auxiliary + 8)
                yield self._string(name)
                auxiliary += step
            if following == 0:
                return
            need += following

    def _version_definitions(self) -> Iterator[str]:
        definition = self._table(_DT_VERDEF)
        if definition is None:
            return
        for _ in range(min(self._values.get(_DT_VERDEFNUM, 0), _VERSIONS)):
            flags, _, _, _, first, following = self._unpack("<HHHIII", definition + 2)
            (name,) = self._unpack("<I", definition + first)
            if not flags & 1:  # VER_FLG_BASE is the library's own name
                yield self._string(name)
            if following == 0:
                return
            definition += following

    def _exports(self, wanted: frozenset[str]) -> Iterator[str]:
        symbols, strings = self._table(_DT_SYMTAB), self._table(_DT_STRTAB)
        if not wanted or symbols is None or strings is None:
            return
        names = {name.encode("ascii") for name in wanted}
        longest = max(map(len, names)) + 1
        for i in range(self._symbol_count()):
            name, info, other, section, _, _ = self._unpack("<IBBHQQ", symbols + i * _SYMBOL_BYTES)
            start = strings + name
            text = self._data[start : start + longest].split(b"\0", 1)[0]
            if text in names and section != 0 and info >> 4 in _BINDINGS and other & 3 in _VISIBILITIES:
                yield text.decode("ascii")

    def _symbol_count(self) -> int:
        """Neither hash table says it in one place for both: DT_HASH has a count, DT_GNU_HASH ends with its chains."""
        plain, gnu = self._table(_DT_HASH), self._table(_DT_GNU_HASH)
        if plain is not None:
            count = self._unpack("<II", plain)[1]
        elif gnu is not None:
            count = self._gnu_symbol_count(gnu)
        else:
            count = 0
        if count > _SYMBOLS:
            raise _DamagedError(f"{count} symbols")
        return count

    def _gnu_symbol_count(self, table: int) -> int:
        buckets, first, words, _ = self._unpack("<IIII", table)
        if buckets > _SYMBOLS:
            raise _DamagedError(f"{buckets} hash buckets")
        heads = table + 16 + words * 8
        chains = heads + buckets * 4
        last = max(self._unpack(f"<{buckets}I", heads), default=0)
        if last < first:
            return first
        for index in range(last, last + _SYMBOLS):
            if self._unpack("<I", chains + (index - first) * 4)[0] & 1:
                return index + 1
        raise _DamagedError("its symbol hash table has no end")

    def _is_android_note(self, segment: tuple[int, ...]) -> bool:
        """A note: lengths of name and description, type, then both padded to four bytes (NDK: crtbegin_so.o)."""
        offset, end = segment[2], segment[2] + min(segment[5], _NOTE_BYTES)
        while offset + 12 <= end:
            name_bytes, description_bytes, _ = self._unpack("<III", offset)
            if self._data[offset + 12 : offset + 12 + name_bytes] == b"Android\0":
                return True
            offset += 12 + (name_bytes + 3) // 4 * 4 + (description_bytes + 3) // 4 * 4
        return False
