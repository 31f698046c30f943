"""A library that somebody wants to use as an engine: checked from its headers before anything of it is kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pocketbench.checked.errors import InputError
from pocketbench.harness.engines.catalogue import DISPLAY_NAMES, EngineName
from pocketbench.harness.engines.elf import Elf, read_elf_file
from pocketbench.harness.engines.interface import WANTED, check_functions, engines_in
from pocketbench.harness.engines.system_libraries import SYSTEM_LIBRARIES, LibcFamily, libc_family
from pocketbench.harness.engines.target import ANDROID_ABIS, linux_platform

__all__ = ["BIG_PAGE_BYTES", "Candidate", "Library", "choose_engine", "read_library"]

# Of phones that come with Android 15 or later (source.android.com, "16 KB page size"), and of the Raspberry Pi 5.
BIG_PAGE_BYTES = 16_384
_LEAST_PAGE_BYTES = 4096
_MACHINES = {"aarch64": "android-arm64", "x86_64": "android-x86_64"}


@dataclass(frozen=True, slots=True)
class Library:
    """A file and what its headers say."""

    path: Path
    elf: Elf
    family: LibcFamily | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine that will do for `platform`, with the libraries that have to lie beside it."""

    name: EngineName
    platform: str
    main: Library
    beside: tuple[Library, ...]

    @property
    def alignment_bytes(self) -> int:
        """The largest pages of a device that can load it."""
        return min(library.elf.alignment_bytes for library in (self.main, *self.beside))

    @property
    def stated_version(self) -> str | None:
        """The version that the library says itself: ONNX Runtime's symbols have it, as in VERS_1.32.0."""
        matches = (re.fullmatch(r"VERS_(\d{1,4}\.\d{1,4}\.\d{1,4})", text, re.ASCII) for text in self.main.elf.versions)
        found = {match[1] for match in matches if match}
        return found.pop() if self.name == "onnxruntime" and len(found) == 1 else None


def read_library(path: Path) -> Library:
    """InputError for a file that is no library of ours, or that no device's pages suit."""
    elf = read_elf_file(path, WANTED)
    if elf.alignment_bytes < _LEAST_PAGE_BYTES or elf.alignment_bytes.bit_count() != 1:
        raise InputError(
            f"expected segments aligned to pages of {_LEAST_PAGE_BYTES} bytes or more, got {path.name!r} with "
            f"{elf.alignment_bytes}: no device can load it."
        )
    return Library(path, elf, libc_family(elf))


def choose_engine(libraries: Sequence[Library], name: EngineName | None, platform: str | None) -> Candidate | None:
    """The engine among `libraries`, which lie beside each other; None where none of them is one.

    `name` and `platform` are what it has to be, where that is given. InputError where it will not do.
    """
    main = _only(libraries, name)
    if main is None:
        return None
    engines = engines_in(main.elf.exports)
    if name is None and len(engines) > 1:
        raise InputError(
            f"expected one engine, got {main.path.name!r} with {_listed(engines)}: say which with --engine."
        )
    engine = name or engines[0]
    check_functions(engine, main.elf.exports, main.path.name)
    return Candidate(engine, _platform(main, platform), main, _beside(main, libraries))


def _only(libraries: Sequence[Library], name: EngineName | None) -> Library | None:
    """The one library that is an engine, called `name` where that is given."""
    offered = {
        library: [engine for engine in engines_in(library.elf.exports) if name in (None, engine)]
        for library in libraries
    }
    found = [library for library, engines in offered.items() if engines]
    if len(found) > 1:
        what = ", ".join(f"{library.path.name!r} ({_listed(offered[library])})" for library in found)
        raise InputError(
            f"expected one engine, got several: {what}. Say which with --engine, or add one .so by itself."
        )
    return found[0] if found else None


def _listed(engines: Sequence[EngineName]) -> str:
    return ", ".join(DISPLAY_NAMES[engine] for engine in engines)


def _platform(main: Library, wanted: str | None) -> str:
    """`wanted` where the library can serve it, else what it is built for."""
    name, machine = main.path.name, main.elf.machine
    if main.family not in SYSTEM_LIBRARIES:
        what = "is built for musl" if main.family == "musl" else "names no C library"
        raise InputError(
            f"expected a library for Android's C library (bionic) or the GNU one (glibc), got {name!r}, which {what}: "
            "take a build for Android or for Linux with glibc."
        )
    android = _MACHINES[machine]
    native = android if main.family == "bionic" else linux_platform(android)
    if wanted is None:
        return native
    if linux_platform(wanted) != linux_platform(native):
        raise InputError(f"expected a library for {wanted}, got {name!r}, which is for {machine}.")
    if main.family == "bionic" and wanted not in ANDROID_ABIS.values():
        raise InputError(
            f"expected a library for {wanted}, got {name!r}, which is built for Android's C library: "
            f"add it for {native}."
        )
    return wanted


def _beside(main: Library, libraries: Sequence[Library]) -> tuple[Library, ...]:
    """What `main` needs of `libraries`, and what that needs; InputError for what is neither there nor in the system."""
    assert main.family is not None
    known, system = {library.path.name: library for library in libraries}, SYSTEM_LIBRARIES[main.family]
    found: dict[str, Library] = {}
    pending = [main]
    while pending:
        library = pending.pop()
        for needed in library.elf.needed:
            if needed in system or needed in found or needed == main.path.name:
                continue
            if needed not in known:
                raise InputError(
                    f"expected every library that {library.path.name!r} needs, got no {needed!r}: a device does not "
                    "have it by itself. Add an .aar that has both, or a build that needs nothing else."
                )
            _check_pair(main, known[needed])
            found[needed] = known[needed]
            pending.append(known[needed])
    return tuple(found[name] for name in sorted(found))


def _check_pair(main: Library, other: Library) -> None:
    if other.elf.machine != main.elf.machine or other.family not in (None, main.family):
        raise InputError(
            f"expected {other.path.name!r} to be for {main.elf.machine} and {main.family} as {main.path.name!r} is, "
            f"got one for {other.elf.machine} and {other.family}: repack the archive."
        )
