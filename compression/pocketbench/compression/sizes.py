"""What a file weighs: as it lies there, and as a download."""

from __future__ import annotations

import gzip
from pathlib import Path

from pocketbench.compression.manifest import FileFacts, sha256_of

__all__ = ["file_facts"]

_LEVEL = 9


def file_facts(path: Path) -> FileFacts:
    """Name, hash and sizes. The gzip size is without name and time, so that equal bytes give equal figures."""
    content = path.read_bytes()
    return FileFacts(
        name=path.name,
        sha256=sha256_of(path),
        size_bytes=len(content),
        size_gzip_bytes=len(gzip.compress(content, _LEVEL, mtime=0)),
    )
