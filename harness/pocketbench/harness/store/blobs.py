"""Files named by the sha256 of what is in them: `samples/ab/abcd….parquet`.

A file is complete before it has its name, and has its name before any row refers to it: a cut at any point leaves at
most a file that no row names.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from pocketbench.harness.errors import StoreError

__all__ = ["Blobs"]


class Blobs:
    """The files below `folder`, which is made with the first one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sha256: str, suffix: str) -> Path:
        """Where the file of that hash is, or would be."""
        return self.folder / sha256[:2] / f"{sha256}{suffix}"

    def put(self, data: bytes, suffix: str) -> str:
        """Keep `data` so that it survives a power cut; its sha256. Nothing is written twice."""
        sha256 = hashlib.sha256(data).hexdigest()
        target = self.path(sha256, suffix)
        if target.exists() and target.stat().st_size == len(data):
            return sha256
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _write_durably(target, data)
        except OSError as error:
            raise StoreError(
                f"expected to write {len(data)} bytes to {target}, got {error.strerror}: make room, or set "
                "POCKETBENCH_HOME to a folder with more, and resume the campaign."
            ) from error
        return sha256

    def get(self, sha256: str, suffix: str) -> bytes:
        """The data of that hash; StoreError where the file is missing or not what it was."""
        path = self.path(sha256, suffix)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StoreError(
                f"expected the measured samples in {path}, got {error.strerror}: restore the file from a copy."
            ) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise StoreError(
                f"expected {path} to have the hash that it is named by, got other content: it was damaged; restore it "
                "from a copy."
            )
        return data


def _write_durably(target: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    # The name itself is durable only once the directory is.
    directory = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
