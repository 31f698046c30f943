"""Files named by what is in them: written once, whole, and checked when they are read."""

from __future__ import annotations

import hashlib
import os
import stat

import pytest

from pocketbench.harness.errors import StoreError
from pocketbench.harness.store.blobs import Blobs

DATA = b"measured"


@pytest.fixture
def blobs(tmp_path):
    return Blobs(tmp_path / "samples")


def files(blobs):
    return [path for path in blobs.folder.rglob("*") if path.is_file()]


def test_what_is_put_can_be_got(blobs):
    sha256 = blobs.put(DATA, ".parquet")

    assert sha256 == hashlib.sha256(DATA).hexdigest()
    assert files(blobs) == [blobs.folder / sha256[:2] / f"{sha256}.parquet"]
    assert blobs.get(sha256, ".parquet") == DATA


def test_nothing_is_written_twice(blobs):
    path = blobs.path(blobs.put(DATA, ".parquet"), ".parquet")
    before = path.stat()

    blobs.put(DATA, ".parquet")

    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_file_that_was_cut_is_written_again(blobs):
    sha256 = blobs.put(DATA, ".parquet")
    blobs.path(sha256, ".parquet").write_bytes(DATA[:3])

    blobs.put(DATA, ".parquet")

    assert blobs.get(sha256, ".parquet") == DATA


def test_everything_is_on_disk_before_put_returns(blobs, monkeypatch):
    """The file before it has its name, then every folder on the way to it."""
    events = []
    fsync, replace = os.fsync, os.replace

    def record_fsync(descriptor):
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        events.append((kind, os.fstat(descriptor).st_ino))
        fsync(descriptor)

    def record_rename(source, target, **keywords):
        events.append(("rename", os.stat(source).st_ino))  # noqa: PTH116 - no path, what pathlib calls with
        replace(source, target, **keywords)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "replace", record_rename)
    path = blobs.path(blobs.put(DATA, ".parquet"), ".parquet")

    inode = path.stat().st_ino
    folders = [folder.stat().st_ino for folder in (path.parent, blobs.folder, blobs.folder.parent)]
    assert events == [("file", inode), ("rename", inode), *(("folder", number) for number in folders)]


def test_a_failing_disk_is_a_sentence_and_leaves_nothing(blobs, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(StoreError, match=r"expected to write 8 bytes to .*, got No space left on device: see that"):
        blobs.put(DATA, ".parquet")

    assert files(blobs) == []


def test_a_file_in_place_of_the_folder_is_a_sentence(blobs):
    blobs.folder.touch()

    with pytest.raises(StoreError, match=r"expected to write 8 bytes to .*, got (File exists|Not a directory)"):
        blobs.put(DATA, ".parquet")


def test_a_damaged_file_is_refused(blobs):
    sha256 = blobs.put(DATA, ".parquet")
    blobs.path(sha256, ".parquet").write_bytes(b"MEASURED")

    with pytest.raises(StoreError, match=f"{sha256}.*, got other content: it was damaged; restore it") as caught:
        blobs.get(sha256, ".parquet")

    assert caught.value.exit_code == 2


def test_a_missing_file_is_named(blobs):
    with pytest.raises(StoreError, match=r"expected what was measured in .*abc\.parquet, got No such file"):
        blobs.get("abc", ".parquet")


def test_who_may_read_the_folder_may_read_the_files(blobs):
    mask = os.umask(0o022)
    try:
        path = blobs.path(blobs.put(DATA, ".parquet"), ".parquet")
    finally:
        os.umask(mask)

    assert stat.S_IMODE(path.stat().st_mode) == 0o644
