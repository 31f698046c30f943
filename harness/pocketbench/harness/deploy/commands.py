"""The few commands that a deployment needs, all of which busybox and toybox have too.

Every path is absolute and every argument its own: no shell of ours is involved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from pocketbench.harness.deploy.plan import is_sha256
from pocketbench.harness.errors import DeploymentError
from pocketbench.harness.transports.base import Completed, Transport

__all__ = ["exists", "hashes", "list_names", "make_directories", "read_file", "remove_trees", "run_or_fail"]

_COMMAND_TIMEOUT_S = 60.0
# A Cortex-A53 hashes some 50 MB/s and reads an SD card at 20 MB/s: 100 MB take seconds, and a busy board is slower.
_HASH_TIMEOUT_S = 600.0
_COMMAND_NOT_FOUND = 127
# Paths in one command: far below the smallest limit of arguments (128 KiB), long paths included.
_BATCH = 100
_SHOWN_CHARACTERS = 300


def run_or_fail(transport: Transport, argv: Sequence[str], purpose: str) -> Completed:
    """Run `argv`; DeploymentError saying what it was for, and the device's own words, unless it exits with 0."""
    completed = transport.run(argv, timeout_s=_COMMAND_TIMEOUT_S)
    if completed.exit_code != 0:
        raise DeploymentError(
            f"{transport.address}: expected to {purpose}, got exit code {completed.exit_code} from "
            f"{argv[0]}: {_words(completed)}. Check that the directory can be written there, then deploy again."
        )
    return completed


def make_directories(transport: Transport, paths: Sequence[PurePosixPath]) -> None:
    """Make `paths` and their parents where they are missing."""
    if paths:
        run_or_fail(transport, ["mkdir", "-p", *map(str, paths)], f"make the directory {paths[0]}")


def remove_trees(transport: Transport, paths: Sequence[PurePosixPath]) -> None:
    """Remove files and directories with all that is in them; missing ones are no error."""
    for batch in _batches(paths):
        run_or_fail(transport, ["rm", "-rf", *map(str, batch)], f"remove {batch[0]}")


def exists(transport: Transport, path: PurePosixPath) -> bool:
    """True where `path` is there; for a link, what it points to."""
    return transport.run(["test", "-e", str(path)], timeout_s=_COMMAND_TIMEOUT_S).exit_code == 0


def list_names(transport: Transport, directory: PurePosixPath) -> list[str]:
    """Names in `directory`, none where it is missing. The device's words: check each before it becomes a path."""
    completed = transport.run(["ls", "-1A", str(directory)], timeout_s=_COMMAND_TIMEOUT_S)
    if completed.exit_code != 0:
        if exists(transport, directory):
            raise DeploymentError(
                f"{transport.address}: expected to list {directory}, got {_words(completed)}: may we read it?"
            )
        return []
    return completed.stdout.decode(errors="replace").splitlines()


def read_file(transport: Transport, path: PurePosixPath) -> bytes | None:
    """Content of a small file, None where there is none."""
    completed = transport.run(["cat", str(path)], timeout_s=_COMMAND_TIMEOUT_S)
    if completed.exit_code == 0:
        return completed.stdout
    if exists(transport, path):
        raise DeploymentError(f"{transport.address}: expected to read {path}, got {_words(completed)}: may we read it?")
    return None


def hashes(transport: Transport, paths: Sequence[PurePosixPath]) -> dict[PurePosixPath, str]:
    """The sha256 of each of `paths` that can be read, computed on the device."""
    known: dict[PurePosixPath, str] = {}
    for batch in _batches(paths):
        completed = transport.run(["sha256sum", *map(str, batch)], timeout_s=_HASH_TIMEOUT_S)
        if completed.exit_code == _COMMAND_NOT_FOUND:
            raise DeploymentError(
                f"{transport.address}: expected the command sha256sum to verify files with, got {_words(completed)}: "
                "install coreutils, busybox or toybox there."
            )
        known.update(_parse_hashes(completed.stdout.decode(errors="replace"), batch))
    return known


# GNU coreutils, busybox and toybox:
# e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  /data/local/tmp/pocketbench/objects/e3/e3b0c4…
def _parse_hashes(text: str, asked: Sequence[PurePosixPath]) -> Iterator[tuple[PurePosixPath, str]]:
    by_text = {str(path): path for path in asked}
    for line in text.splitlines():
        digest, separator, name = line[:64], line[64:66], line[66:]
        if is_sha256(digest) and separator in ("  ", " *") and name in by_text:
            yield by_text[name], digest


def _batches(paths: Sequence[PurePosixPath]) -> Iterator[Sequence[PurePosixPath]]:
    for start in range(0, len(paths), _BATCH):
        yield paths[start : start + _BATCH]


def _words(completed: Completed) -> str:
    """What a command said, on one line and not endless."""
    text = (completed.stderr or completed.stdout).decode(errors="replace")
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line[:_SHOWN_CHARACTERS] or "no message"
