"""Whether a library can run on a device, from what its ELF headers ask for and what the device has."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pocketbench.harness.engines.elf import Elf
from pocketbench.harness.engines.target import Target

__all__ = ["is_bionic", "is_glibc", "libc_misfit", "libc_of", "newest_version", "page_misfit"]

# Symbol versions of Android's libraries end in the letter of the release that brought them, since Android 16 in the API
# level (AOSP, bionic/libc/libc.map.txt and source.android.com, "Codenames, tags, and build numbers").
_ANDROID_API = {
    "L": 21, "M": 23, "N": 24, "O": 26, "P": 28, "Q": 29, "R": 30, "S": 31, "T": 33, "U": 34, "V": 35,
}  # fmt: skip

# The first glibc that came out after the GCC whose libstdc++ brought a version: (newest GLIBCXX_3.4.N, glibc 2.M).
# For a device of which only glibc is known. Sources: GCC's manual, "ABI Policy and Guidelines"; glibc's release dates.
_GLIBCXX_BEFORE_GLIBC = (
    (22, 24), (23, 26), (24, 27), (25, 28), (26, 30), (28, 32), (29, 34), (30, 36), (31, 38), (32, 39), (33, 40),
    (34, 42),
)  # fmt: skip


def is_bionic(elf: Elf) -> bool:
    """True for a library built for Android."""
    return elf.is_android or any(re.fullmatch(r"LIBC(_\w+)?", version) for version in elf.version_needs)


def is_glibc(elf: Elf) -> bool:
    """True for a library built for the GNU C library."""
    return "libc.so.6" in elf.needed or newest_version(elf.version_needs, "GLIBC") is not None


def libc_of(elf: Elf) -> str | None:
    """`bionic`, `glibc 2.34` (the oldest that has what it asks for), or None where it cannot be told."""
    if is_bionic(elf):
        return "bionic"
    newest = newest_version(elf.version_needs, "GLIBC")
    return None if newest is None else f"glibc {_dotted(newest)}"


def newest_version(versions: Iterable[str], prefix: str) -> tuple[int, ...] | None:
    """(2, 34) of GLIBC_2.34, GLIBC_2.17, …; None where none has the prefix."""
    found = (re.fullmatch(rf"{prefix}_(\d{{1,4}}(?:\.\d{{1,4}}){{1,3}})", version, re.ASCII) for version in versions)
    return max((tuple(map(int, match[1].split("."))) for match in found if match), default=None)


def page_misfit(elf: Elf, target: Target) -> str | None:
    """Why the device's pages are too large for the library, None where they are not."""
    if elf.alignment_bytes >= target.page_size_bytes:
        return None
    return (
        f"it is aligned to pages of {elf.alignment_bytes // 1024} KiB and the device has pages of "
        f"{target.page_size_bytes // 1024} KiB"
    )


def libc_misfit(elf: Elf, target: Target) -> str | None:
    """Why the device's own C and C++ libraries do not serve the library, None where they do."""
    if is_bionic(elf):
        return _bionic_misfit(elf, target)
    if target.glibc is None:
        return "it needs glibc and the device has another C library"
    needed = newest_version(elf.version_needs, "GLIBC")
    if needed is not None and needed > target.glibc:
        return f"it needs glibc {_dotted(needed)} and the device has {_dotted(target.glibc)}"
    return _glibcxx_misfit(elf, target.glibc, target.glibcxx)


def _glibcxx_misfit(elf: Elf, glibc: tuple[int, ...], glibcxx: tuple[int, ...] | None) -> str | None:
    needed = newest_version(elf.version_needs, "GLIBCXX")
    if needed is None:
        return None
    name = f"GLIBCXX_{_dotted(needed)} of libstdc++"
    if glibcxx is not None:
        has = f"GLIBCXX_{_dotted(glibcxx)}" if glibcxx else "no libstdc++"
        return f"it needs {name} and the device has {has}" if needed > glibcxx else None
    safe = max(((3, 4, gcc) for gcc, release in _GLIBCXX_BEFORE_GLIBC if (2, release) <= glibc), default=(3, 4))
    return f"it needs {name}, which a device with glibc {_dotted(glibc)} may not have" if needed > safe else None


def _bionic_misfit(elf: Elf, target: Target) -> str | None:
    levels = []
    for version in elf.version_needs:
        match = re.fullmatch(r"LIB[A-Z0-9]+_(?:([A-Z])|(\d{2}))", version, re.ASCII)
        if match:
            levels.append(_ANDROID_API.get(match[1], 0) if match[1] else int(match[2]))
    needed = max(levels, default=0)
    if target.android_api is None or needed <= target.android_api:
        return None
    return f"it needs Android API {needed} and the device has API {target.android_api}"


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
