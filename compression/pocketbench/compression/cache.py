"""What was built before, by content: a folder per key, verified by hash before it is used.

    cache/3f/3f0c…/entry.json     {"version": 1, "files": {"model.tflite": sha256, …}}
    cache/3f/3f0c…/model.tflite

A key says everything that shapes the bytes (see `cache_key`), so an entry is never outdated, only damaged or unused.
The folder may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import tempfile
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from pocketbench.compression.manifest import sha256_of

__all__ = ["Cache", "cache_key", "library_versions", "own_code_hash"]

logger = logging.getLogger(__name__)

_ENTRY = "entry.json"
_VERSION = 1
_LIBRARIES = (
    "ai-edge-litert",
    "keras",
    "litert-quantizer",
    "numpy",
    "onnx",
    "onnxruntime",
    "scipy",
    "tensorflow",
    "tensorflow-cpu",
    "tf2onnx",
)


def cache_key(**parts: Any) -> str:
    """Hex sha256 of the parts as canonical JSON."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def library_versions() -> dict[str, str]:
    """Versions of the installed libraries that shape the bytes of a variant."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # ONNX models need no TensorFlow
    return found


@cache
def own_code_hash() -> str:
    """Hex sha256 over the files of this package: more exact than its version while it is being changed."""
    digest = hashlib.sha256()
    root = Path(__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


class Cache:
    """Folders of files by key, safe to share between processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> Path | None:
        """The verified folder of `key`; None where there is none. A damaged one is removed."""
        entry = self._place(key)
        if not entry.is_dir():
            return None
        problem = _damage(entry)
        if problem is None:
            return entry
        logger.warning("cache entry %s is damaged (%s): it is built again", entry, problem)
        self._remove(entry)
        return None

    def put(self, key: str, folder: Path) -> Path:
        """Keep a copy of the flat `folder` under `key` and return where it is now.

        Without space or permission the folder itself is returned: a cache that cannot be written costs time, no more.
        """
        entry = self._place(key)
        new = None
        try:
            entry.parent.mkdir(parents=True, exist_ok=True)
            new = Path(tempfile.mkdtemp(prefix=".new-", dir=self._folder))
            shutil.copytree(folder, new, dirs_exist_ok=True)
            files = {path.name: sha256_of(path) for path in sorted(new.iterdir())}
            (new / _ENTRY).write_text(json.dumps({"version": _VERSION, "files": files}), encoding="utf-8")
            new.chmod(0o755)  # mkdtemp makes it private
            new.rename(entry)
        except OSError as error:
            if new is not None:
                shutil.rmtree(new, ignore_errors=True)
            if entry.is_dir() and _damage(entry) is None:
                return entry  # another process was first: a rename onto a folder with files in it is refused
            logger.warning("%s cannot be kept in the cache %s: %s", folder.name, self._folder, error.strerror)
            return folder
        return entry

    def _place(self, key: str) -> Path:
        return self._folder / key[:2] / key

    def _remove(self, entry: Path) -> None:
        """Take the entry out of sight by a rename first: another process must not see half of it."""
        try:
            grave = Path(tempfile.mkdtemp(prefix=".old-", dir=self._folder))
        except OSError as error:
            logger.warning("%s cannot be removed from the cache: %s", entry, error.strerror)
            return
        try:
            entry.rename(grave / "entry")
        except OSError as error:  # most often another process was first
            logger.debug("%s was not removed: %s", entry, error.strerror)
        shutil.rmtree(grave, ignore_errors=True)


def _damage(entry: Path) -> str | None:
    """What is wrong with the entry; None where every file is what it was."""
    try:
        facts = json.loads((entry / _ENTRY).read_text(encoding="utf-8"))
        files = facts["files"] if facts["version"] == _VERSION else {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"no readable {_ENTRY}: {error}"
    found = {path.name for path in entry.iterdir()} - {_ENTRY}
    if found != set(files) or not files:
        return f"expected the files {sorted(files)}, got {sorted(found)}"
    return next((f"{name} has changed" for name, sha256 in files.items() if sha256_of(entry / name) != sha256), None)
