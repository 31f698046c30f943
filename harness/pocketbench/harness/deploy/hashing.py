"""Hashes of objects: what a device computes against what the host knows.

An object is named by its sha256. When it arrives, the device hashes it with the fastest command it has (b2sum,
sha256sum, sha1sum), and the host does the same with its file, whose sha256 it has checked. All of them find any
accidental damage; a device that lies about its files could lie about their hashes as well.

An object is hashed when it arrives, before it gets its name. It is read-only from then on, and the file `verified`
keeps its size, its times of modification and change, its inode and its mode. As long as these are the same, nobody
wrote to it: the kernel sets the time of change on every write, and programs cannot choose it. (Two writes within one
second look like one, but the second would have to break the write protection first.) It is hashed again where they
differ, at each rollback, and by `deploy status --verify`. What this cannot see is damage below the file system, in the
storage itself; the golden inference, which runs at each deployment, uses the files anew and finds what matters of it.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from pocketbench.checked.errors import InputError
from pocketbench.harness.deploy.device_scripts import run_script
from pocketbench.harness.deploy.layout import Layout
from pocketbench.harness.deploy.plan import DeploymentFile, is_sha256
from pocketbench.harness.transports.base import Transport

__all__ = [
    "check_source",
    "digest_of",
    "expected_hashes",
    "hash_listing",
    "hash_timeout_s",
    "parse_hashes",
    "right_objects",
]

# A Cortex-A53 hashes some 50 MB/s and reads an SD card at 20 MB/s, and a busy board is slower.
_SLOWEST_BYTES_PER_S = 5e6
_START_S = 60.0
_ALGORITHMS = {"b2sum": "blake2b", "sha1sum": "sha1"}


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """Hash of a file of this computer, computed once per state of the file; InputError where it cannot be read."""
    try:
        facts = path.stat()
        return _digest(path, algorithm, (facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino))
    except OSError as error:
        raise InputError(f"expected a readable file to deploy, got {path}: {error.strerror}.") from error


@functools.lru_cache(maxsize=4096)
def _digest(path: Path, algorithm: str, _state: tuple[int, int, int, int]) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def check_source(file: DeploymentFile) -> None:
    """Raise InputError unless the file on this computer has the hash that the plan says."""
    found = digest_of(file.source)
    if found != file.sha256:
        raise InputError(
            f"expected {file.source} with sha256 {file.sha256}, got {found}: it was changed since; make it again."
        )


def expected_hashes(files: Iterable[DeploymentFile], command: str) -> dict[str, str]:
    """What `command` on the device is to say of each object: sha256 to hash."""
    if command == "sha256sum":
        return {file.sha256: file.sha256 for file in files}
    return {file.sha256: digest_of(file.source, _ALGORITHMS[command]) for file in files}


def right_objects(
    transport: Transport, layout: Layout, command: str, expected: Mapping[str, str], size_bytes: int
) -> frozenset[str]:
    """Which of the objects in `expected` have the content of their name, by hashing `size_bytes` on the device.

    Where all have, they count as verified from now on.
    """
    if not expected:
        return frozenset()
    listing = hash_listing(expected).encode()
    completed = run_script(
        transport, "verify", layout.directory, command, stdin=listing, timeout_s=hash_timeout_s(size_bytes)
    )
    return parse_hashes(completed.stdout.decode(errors="replace"), expected)


def hash_timeout_s(size_bytes: int) -> float:
    """How long hashing may take on the slowest device."""
    return _START_S + size_bytes / _SLOWEST_BYTES_PER_S


def hash_listing(expected: Mapping[str, str]) -> str:
    """As the hash commands write it: a line `hash  name` each."""
    return "".join(f"{digest}  {sha256}\n" for sha256, digest in sorted(expected.items()))


# GNU coreutils, busybox and toybox:
# e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  e3b0c4…
def parse_hashes(text: str, expected: Mapping[str, str]) -> frozenset[str]:
    """Names in `expected` whose line says what is expected."""
    parts = (line.partition("  ") for line in text.splitlines())
    return frozenset(name for digest, _, name in parts if is_sha256(name) and expected.get(name) == digest)
