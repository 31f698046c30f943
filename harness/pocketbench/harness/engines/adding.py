"""`pocketbench engine add`: a library or an .aar that the user brings, checked, then kept."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from pocketbench.checked.errors import InputError
from pocketbench.compression.manifest import sha256_of
from pocketbench.harness.engines.added import VERSION_PATTERN, AddedBuild, AddedLibrary, NewBuild, store
from pocketbench.harness.engines.archive import LIBRARY_BYTES, is_archive, unpack_libraries
from pocketbench.harness.engines.candidate import BIG_PAGE_BYTES, Candidate, Library, choose_engine, read_library
from pocketbench.harness.engines.catalogue import DISPLAY_NAMES, EngineName, engine_name
from pocketbench.harness.engines.compatibility import libc_of
from pocketbench.harness.engines.interface import no_engine
from pocketbench.harness.engines.pinned import PINS
from pocketbench.harness.engines.target import ANDROID_ABIS, check_platform

__all__ = ["add_engine"]

_CANONICAL: dict[EngineName, str] = {"litert": "libLiteRt.so", "onnxruntime": "libonnxruntime.so"}
# libonnxruntime.so.1.32.0, onnxruntime-android-1.30.0.aar, litert-2.3.0-beta1.aar
_VERSION_IN_NAME = re.compile(
    r"(?:\.so\.|-)(\d+(?:\.\d+){1,3}(?:-(?:alpha|beta|rc|snapshot)[0-9]*)?)(?:\.aar|\.so)?\Z", re.ASCII | re.IGNORECASE
)
_SOURCE_CHARACTERS = 100


def add_engine(
    file: Path,
    *,
    cache: Path,
    engine: str | None = None,
    platform: str | None = None,
    version: str | None = None,
    replace: bool = False,
    say: Callable[[str], None],
) -> list[AddedBuild]:
    """Check the .so or .aar `file` and keep what it has in `cache`, for the platforms that it serves.

    `engine`, `platform` and `version` say what cannot be told from the file, or which of several is wanted. `say` is
    told which devices it will not serve. InputError, with nothing kept, where it will not do or `replace` is missing.
    """
    name = None if engine is None else engine_name(engine)
    if platform is not None:
        check_platform(platform)
    if version is not None and not re.fullmatch(VERSION_PATTERN, version, re.ASCII):
        raise InputError(f"expected a version of up to 32 letters, digits, '.', '-' and '_', got {version!r}.")
    if not file.is_file():
        raise InputError(f"expected a library (.so) or an .aar, got {str(file)!r}, which is no file.")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".add-", dir=cache) as scratch:
            candidates = _candidates(file, Path(scratch), name, platform, say)
            new = [_prepared(candidate, file, version, Path(scratch)) for candidate in candidates]
            store(new, cache, replace=replace)
    except OSError as error:
        raise InputError(f"expected to read {str(file)!r} and keep it in {cache}, got: {error.strerror}.") from error
    for candidate in candidates:
        _tell_limits(candidate, say)
    return [one.build for one in new]


def _candidates(
    file: Path, scratch: Path, name: EngineName | None, platform: str | None, say: Callable[[str], None]
) -> list[Candidate]:
    """From copies in `scratch`: the file may change or vanish while it is looked at."""
    if not is_archive(file):
        if file.stat().st_size > LIBRARY_BYTES:
            raise InputError(f"expected a library of at most {LIBRARY_BYTES} bytes, got {file.name!r} with more.")
        library = read_library(Path(shutil.copyfile(file, scratch / file.name)))
        candidate = choose_engine([library], name, platform)
        if candidate is None:
            raise no_engine(name, {file.name: library.elf.exports})
        return [candidate]
    unpacked, others = unpack_libraries(file, scratch / "jni", platform)
    if others:
        say(f"{file.name}: left out {', '.join(others)}, since devices have to be {' or '.join(ANDROID_ABIS)}")
    libraries = {kind: [read_library(path) for path in sorted(paths)] for kind, paths in unpacked.items()}
    found = [choose_engine(each, name, kind) for kind, each in sorted(libraries.items())]
    candidates = [candidate for candidate in found if candidate is not None]
    if not candidates:
        raise no_engine(name, _exports([library for each in libraries.values() for library in each]))
    return candidates


def _exports(libraries: Sequence[Library]) -> dict[str, frozenset[str]]:
    exports: dict[str, frozenset[str]] = {}
    for library in libraries:
        exports[library.path.name] = exports.get(library.path.name, frozenset()) | library.elf.exports
    return exports


def _prepared(candidate: Candidate, file: Path, version: str | None, scratch: Path) -> NewBuild:
    """Its files in a folder of their own, under the names that they have on a device."""
    folder = scratch / f"build-{candidate.platform}"
    folder.mkdir()
    # Those beside it may ask for it by the name that it has.
    name = candidate.main.path.name if candidate.beside else _CANONICAL[candidate.name]
    main = _moved(candidate.main.path, folder / name)
    beside = tuple(_moved(library.path, folder / library.path.name) for library in candidate.beside)
    build = AddedBuild(
        engine=candidate.name,
        version=_version(candidate, main.sha256, file.name, version),
        platform=candidate.platform,  # type: ignore[arg-type]  # pydantic checks it
        libc=libc_of(candidate.main.elf) or str(candidate.main.family),
        source="".join(c if c.isprintable() else "?" for c in file.name)[:_SOURCE_CHARACTERS],
        library=main,
        libraries=beside,
    )
    return NewBuild(build, folder)


def _moved(path: Path, target: Path) -> AddedLibrary:
    path.rename(target)
    return AddedLibrary(name=target.name, sha256=sha256_of(target), size_bytes=target.stat().st_size)


def _version(candidate: Candidate, sha256: str, file_name: str, given: str | None) -> str:
    """What the library says or is known by; else what the user says, or the file's name."""
    pinned = {pin.library_sha256: pin.version for pin in PINS}
    stated = candidate.stated_version or pinned.get(sha256)
    if stated and given not in (None, stated):
        raise InputError(f"expected version {stated}, which {file_name!r} is, got --version {given}: leave it out.")
    in_name = _VERSION_IN_NAME.search(file_name)
    named = in_name[1] if in_name and re.fullmatch(VERSION_PATTERN, in_name[1], re.ASCII) else None
    return stated or given or named or "unknown"


def _tell_limits(candidate: Candidate, say: Callable[[str], None]) -> None:
    label = f"{DISPLAY_NAMES[candidate.name]} for {candidate.platform}"
    if candidate.main.family == "glibc" and candidate.platform in ANDROID_ABIS.values():
        say(f"{label}: it is built for glibc, which is carried along for it; it sees the processor only")
    if candidate.alignment_bytes < BIG_PAGE_BYTES and candidate.main.elf.machine == "aarch64":
        say(
            f"{label}: it is aligned to pages of {candidate.alignment_bytes // 1024} KiB, so devices with pages of "
            f"{BIG_PAGE_BYTES // 1024} KiB refuse it: newer phones (from Android 15 on) and the Raspberry Pi 5"
        )
