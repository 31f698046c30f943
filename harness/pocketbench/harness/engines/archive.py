"""The native libraries inside an .aar: a zip file with `jni/ABI/lib….so` (developer.android.com, "Create an Android
library", anatomy of an AAR file).

It may be anybody's file: no name in it becomes a path before it is a plain one, and no size is believed before it is
bounded.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from pocketbench.checked.errors import InputError
from pocketbench.harness.engines.target import ANDROID_ABIS

__all__ = ["LIBRARY_BYTES", "is_archive", "unpack_libraries"]

# The largest library that we know is TensorFlow's with 815 MB.
LIBRARY_BYTES = 1 << 30
_ALL_BYTES, _LIBRARIES = 2 << 30, 200
_DIRECTORY_BYTES = 1 << 22  # of names, in the archive: some 40,000
# Deflate reaches 1032, libraries about 4.
_RATIO, _RATIO_FROM_BYTES = 100, 1 << 20
_MEMBER = re.compile(r"jni/([A-Za-z0-9_-]{1,30})/(lib[A-Za-z0-9_.+-]{1,100}\.so)", re.ASCII)
_END, _END_BYTES, _COMMENT_BYTES = b"PK\5\6", 22, 65_535  # zip: end of central directory record
_ZIP64_LOCATOR, _LOCATOR_BYTES = b"PK\6\7", 20


def is_archive(path: Path) -> bool:
    """True for a file that starts as a zip file does."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\3\4", _END)


def unpack_libraries(archive: Path, folder: Path, platform: str | None) -> tuple[dict[str, list[Path]], list[str]]:
    """Put the libraries for each platform into a folder of its own below `folder`, only those for `platform` if given.

    Returns them, and the ABIs for which there is no platform. InputError for what is no sound .aar or has none.
    """
    if platform not in (None, *ANDROID_ABIS.values()):
        raise InputError(
            f"expected a platform of Android for an .aar ({', '.join(ANDROID_ABIS.values())}), got {platform!r}: "
            "add a library (.so) that is built for it."
        )
    found: dict[str, list[Path]] = {}
    others: set[str] = set()
    try:
        _check_directory(archive)
        with zipfile.ZipFile(archive) as opened:
            members = []
            for member, abi, name in _members(opened, archive.name):
                kind = ANDROID_ABIS.get(abi)
                if kind is None:
                    others.add(abi)
                elif platform in (None, kind):
                    members.append((member, kind, name))
            _check_sizes([member for member, _, _ in members], archive.name)
            for member, kind, name in members:
                target = folder / kind / name
                target.parent.mkdir(parents=True, exist_ok=True)
                _unpack(opened, member, target)
                found.setdefault(kind, []).append(target)
    # What zipfile raises for a damaged or encrypted file, or a way of compression that it has not.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise InputError(f"expected a sound .aar (zip file), got {archive.name!r}: {error}.") from error
    if not found:
        _refuse_empty(archive.name, others, platform)
    return found, sorted(others)


def _check_directory(archive: Path) -> None:
    """zipfile makes an object of every name there is: bound them first, from the record that it will read."""
    size = archive.stat().st_size
    tail_bytes = min(size, _END_BYTES + _COMMENT_BYTES + _LOCATOR_BYTES)
    with archive.open("rb") as file:
        file.seek(size - tail_bytes)
        tail = file.read(tail_bytes)
    plain = tail[-_END_BYTES:]
    start = len(tail) - _END_BYTES if plain.startswith(_END) and plain.endswith(b"\0\0") else tail.rfind(_END)
    if start < 0 or start + _END_BYTES > len(tail):
        raise zipfile.BadZipFile("its directory is missing: it is cut off")
    (directory_bytes,) = struct.unpack_from("<I", tail, start + 12)
    is_zip64 = tail[max(start - _LOCATOR_BYTES, 0) :].startswith(_ZIP64_LOCATOR)
    if is_zip64 or directory_bytes > _DIRECTORY_BYTES:
        raise zipfile.BadZipFile(f"its directory has more than {_DIRECTORY_BYTES} bytes, or is of the form for that")


def _members(opened: zipfile.ZipFile, archive: str) -> Iterator[tuple[zipfile.ZipInfo, str, str]]:
    """Member, ABI and file name of each library; whatever has another name is not looked at."""
    seen: set[str] = set()
    for member in opened.infolist():
        match = _MEMBER.fullmatch(member.filename)
        if match is None:
            continue
        if member.filename in seen:
            raise InputError(f"expected each library once in {archive!r}, got {member.filename} twice: repack it.")
        seen.add(member.filename)
        yield member, match[1], match[2]


def _check_sizes(members: list[zipfile.ZipInfo], archive: str) -> None:
    for member in members:
        if member.file_size > max(_RATIO * member.compress_size, _RATIO_FROM_BYTES):
            raise InputError(
                f"expected a library, got {member.filename} in {archive!r}, which would unpack to "
                f"{member.file_size} bytes from {member.compress_size}: it is not unpacked."
            )
        if member.file_size > LIBRARY_BYTES:
            raise InputError(
                f"expected a library of at most {LIBRARY_BYTES} bytes, got {member.filename} in {archive!r} with "
                f"{member.file_size}."
            )
    if len(members) > _LIBRARIES or sum(member.file_size for member in members) > _ALL_BYTES:
        raise InputError(
            f"expected at most {_LIBRARIES} libraries with {_ALL_BYTES} bytes, got more in {archive!r}: "
            "add the engine's .so by itself."
        )


def _unpack(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    """zipfile gives no more than the member's stated size, and raises where its checksum is another."""
    with opened.open(member) as source, target.open("xb") as sink:
        while chunk := source.read(1 << 20):
            sink.write(chunk)


def _refuse_empty(archive: str, others: set[str], platform: str | None) -> None:
    abis = [abi for abi, kind in ANDROID_ABIS.items() if platform in (None, kind)]
    got = f"got only {', '.join(sorted(others))}" if others else "got none there"
    wanted = " or ".join(f"jni/{abi}/" for abi in abis)
    raise InputError(f"expected libraries in {wanted} of {archive!r}, {got}: take one for 64-bit devices.")
