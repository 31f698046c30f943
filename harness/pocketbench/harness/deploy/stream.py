"""What goes over the wire: files, or a tar of files and links, made as it is read, compressed where that pays."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pocketbench.checked.errors import InputError
from pocketbench.harness.deploy.progress import Meter

__all__ = ["GZIP_LEVEL", "TarFile", "TarLink", "TarText", "file_chunks", "open_stream", "tar_chunks"]

# Level 1 of zlib compresses an engine's library to 0.41 at 68 MB/s on the machine of docs/deploy.md, level 6 to 0.37 at
# 22 MB/s: only the first is faster than the links that compression helps.
GZIP_LEVEL = 1
_CHUNK_BYTES = 1 << 18
_GZIP_FORMAT = 31  # zlib's word for a gzip header and trailer
_END_OF_ARCHIVE = bytes(2 * tarfile.BLOCKSIZE)


@dataclass(frozen=True, slots=True)
class TarFile:
    """A file of this computer under another name."""

    name: str
    source: Path
    size_bytes: int
    mode: int


@dataclass(frozen=True, slots=True)
class TarLink:
    """A symbolic link."""

    name: str
    target: str


@dataclass(frozen=True, slots=True)
class TarText:
    """A small file by its content."""

    name: str
    content: bytes


def tar_chunks(members: Iterable[TarFile | TarLink | TarText], meter: Meter) -> Iterator[bytes]:
    """A tar in the format that every tar reads (POSIX.1-1988 ustar)."""
    for member in members:
        header = tarfile.TarInfo(member.name)
        header.mode = 0o644
        if isinstance(member, TarLink):
            header.type, header.linkname = tarfile.SYMTYPE, member.target
            yield _header(header)
        elif isinstance(member, TarText):
            header.size = len(member.content)
            yield _header(header) + member.content + _padding(header.size)
        else:
            header.size, header.mode = member.size_bytes, member.mode
            yield _header(header)
            yield from file_chunks(member.source, 0, member.size_bytes, meter)
            yield _padding(header.size)
    yield _END_OF_ARCHIVE


def file_chunks(source: Path, start: int, end: int, meter: Meter) -> Iterator[bytes]:
    """The bytes of `source` from `start` up to `end`; InputError where there are fewer."""
    left = end - start
    try:
        with source.open("rb") as stream:
            stream.seek(start)
            while left > 0:
                chunk = stream.read(min(_CHUNK_BYTES, left))
                if not chunk:
                    raise InputError(
                        f"expected {end} bytes in {source}, got fewer: it was changed meanwhile; deploy again."
                    )
                left -= len(chunk)
                meter.add_file_bytes(len(chunk))
                yield chunk
    except OSError as error:
        raise InputError(f"expected a readable file to deploy, got {source}: {error.strerror}.") from error


def open_stream(chunks: Iterator[bytes], meter: Meter, *, compressed: bool) -> BinaryIO:
    """`chunks` as a file that is read once."""
    return io.BufferedReader(_Chunks(_gzip(chunks) if compressed else chunks, meter), _CHUNK_BYTES)


def _gzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(GZIP_LEVEL, wbits=_GZIP_FORMAT)
    for chunk in chunks:
        yield compressor.compress(chunk)
    yield compressor.flush()


def _header(header: tarfile.TarInfo) -> bytes:
    return header.tobuf(tarfile.USTAR_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)


class _Chunks(io.RawIOBase):
    def __init__(self, chunks: Iterator[bytes], meter: Meter) -> None:
        self._chunks, self._meter = chunks, meter
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what io.BufferedReader passes
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        self._meter.add_wire_bytes(count)
        return count
