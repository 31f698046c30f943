"""Files named by the sha256 of what is in them: `samples/ab/abcd….parquet`.

A file is complete before it has its name, and has its name before any row refers to it: a cut at any point leaves at
most a file that no row names.
"""

from __future__ import annotations

import hashlib
import os
import secrets
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
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if not (target.exists() and target.stat().st_size == len(data)):
                _write(target, data)
            # A name is on disk once its folder is. Done for a file that was there, too: whoever wrote it may have
            # been killed before this.
            for folder in (target.parent, self.folder, self.folder.parent):
                _sync_folder(folder)
        except OSError as error:
            raise StoreError(
                f"expected to write {len(data)} bytes to {target}, got {error.strerror}: see that its disk has space "
                "and its folder can be written, then resume the campaign."
            ) from error
        return sha256

    def get(self, sha256: str, suffix: str) -> bytes:
        """The data of that hash; StoreError where the file is missing or not what it was."""
        path = self.path(sha256, suffix)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StoreError(
                f"expected what was measured in {path}, got {error.strerror}: restore the file from a copy."
            ) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise StoreError(
                f"expected {path} to have the hash that it is named by, got other content: it was damaged; restore it "
                "from a copy."
            )
        return data


def _write(target: Path, data: bytes) -> None:
    # Not by tempfile, whose files only their owner may read: a colleague who reads the database reads these too.
    temporary = target.with_name(f".new-{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
