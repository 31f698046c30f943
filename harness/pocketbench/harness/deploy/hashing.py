"""Hashes of objects: what a device computes against what the host knows.

An object is named by its sha256. When it arrives, the device hashes it with the fastest command it has (b2sum,
sha256sum, sha1sum), and the host does the same with its file, whose sha256 it has checked. All of them find any
accidental damage; a device that lies about its files could lie about their hashes as well.

An object is hashed when it arrives (arrival.py), before it gets its name. It is read-only from then on, and the file
`verified` keeps its size, its times of modification and change, its inode and its mode. As long as these are the same,
nobody wrote to it: the kernel sets the time of change on every write, and programs cannot choose it. (Two writes within
one second look like one, but the second would have to break the write protection first.) It is hashed again where they
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
    "digest_by",
    "digest_of",
    "expected_hashes",
    "hash_timeout_s",
    "part_digests",
    "right_objects",
]

# A Cortex-A53 hashes some 50 MB/s and reads an SD card at 20 MB/s, and a busy board is slower.
_SLOWEST_BYTES_PER_S = 5e6
_START_S = 60.0
_ALGORITHMS = {"b2sum": "blake2b", "sha1sum": "sha1", "sha256sum": "sha256"}


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """Hash of a file of this computer, computed once per state of the file; InputError where it cannot be read."""
    (digest,) = _digests(path, algorithm, None)
    return digest


def digest_by(command: str, path: Path, sha256: str) -> str:
    """What the hash command `command` says of a file of this computer whose sha256 is known."""
    return sha256 if command == "sha256sum" else digest_of(path, _ALGORITHMS[command])


def part_digests(command: str, path: Path, part_bytes: int) -> tuple[str, ...]:
    """What `command` says of each piece of `part_bytes` of the file; the last one is shorter, and may be empty."""
    return _digests(path, _ALGORITHMS[command], part_bytes)


def check_source(path: Path, sha256: str) -> None:
    """Raise InputError unless the file on this computer has the hash that the plan says."""
    found = digest_of(path)
    if found != sha256:
        raise InputError(f"expected {path} with sha256 {sha256}, got {found}: it was changed since; make it again.")


def expected_hashes(files: Iterable[DeploymentFile], command: str) -> dict[str, str]:
    """What `command` on the device is to say of each object: sha256 to hash."""
    return {file.sha256: digest_by(command, file.source, file.sha256) for file in files}


def _digests(path: Path, algorithm: str, part_bytes: int | None) -> tuple[str, ...]:
    try:
        facts = path.stat()
        state = (facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino)
        return _digests_in_state(path, algorithm, part_bytes, state)
    except OSError as error:
        raise InputError(f"expected a readable file to deploy, got {path}: {error.strerror}.") from error


@functools.lru_cache(maxsize=4096)
def _digests_in_state(
    path: Path, algorithm: str, part_bytes: int | None, state: tuple[int, int, int, int]
) -> tuple[str, ...]:
    with path.open("rb") as stream:
        if part_bytes is None:
            return (hashlib.file_digest(stream, algorithm).hexdigest(),)
        parts = range(state[0] // part_bytes + 1)
        return tuple(hashlib.new(algorithm, stream.read(part_bytes)).hexdigest() for _ in parts)


def right_objects(
    transport: Transport, layout: Layout, command: str, expected: Mapping[str, str], size_bytes: int
) -> frozenset[str]:
    """Which of the objects in `expected` have the content of their name, by hashing `size_bytes` on the device.

    Where all have, they count as verified from now on.
    """
    if not expected:
        return frozenset()
    listing = _hash_listing(expected).encode()
    completed = run_script(
        transport, "verify", layout.directory, command, stdin=listing, timeout_s=hash_timeout_s(size_bytes)
    )
    return _parse_hashes(completed.stdout.decode(errors="replace"), expected)


def hash_timeout_s(size_bytes: int) -> float:
    """How long hashing may take on the slowest device."""
    return _START_S + size_bytes / _SLOWEST_BYTES_PER_S


def _hash_listing(expected: Mapping[str, str]) -> str:
    """As the hash commands write it: a line `hash  name` each."""
    return "".join(f"{digest}  {sha256}\n" for sha256, digest in sorted(expected.items()))


# GNU coreutils, busybox and toybox:
# e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  e3b0c4…
def _parse_hashes(text: str, expected: Mapping[str, str]) -> frozenset[str]:
    """Names in `expected` whose line says what is expected."""
    parts = (line.partition("  ") for line in text.splitlines())
    return frozenset(name for digest, _, name in parts if is_sha256(name) and expected.get(name) == digest)
