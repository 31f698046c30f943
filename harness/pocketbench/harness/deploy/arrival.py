"""What a device hashes of the files that arrive, while more of them arrive: small ones whole, large ones in parts.

place.sh reads these lists (see scripts/follow.sh), and writes what it found in the same way. A file of full size is
hashed whole; a part, as soon as the file has grown to its end. So little is left to hash when the last byte has come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pocketbench.harness.deploy.hashing import check_source, digest_by, part_digests

__all__ = ["PART_BYTES", "MissingObject", "expected_lines", "parts_listing", "sizes_listing", "wrong_objects"]

# As follow.sh has it. A slow board hashes it in a fifth of a second.
PART_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class MissingObject:
    """A file of this computer that the device lacks."""

    sha256: str
    source: Path
    size_bytes: int
    mode: int

    @property
    def is_whole(self) -> bool:
        """Whether it is hashed in one go."""
        return self.size_bytes <= PART_BYTES


def sizes_listing(missing: Iterable[MissingObject]) -> bytes:
    """SIZE SHA256 of each file that is hashed whole, as stat writes it."""
    return "".join(f"{item.size_bytes} {item.sha256}\n" for item in missing if item.is_whole).encode()


def parts_listing(missing: Iterable[MissingObject]) -> bytes:
    """SHA256 NUMBER END of each part.

    The last one of a file is never full, if need be empty: hashed to its end, it tells that there is nothing beyond.
    """
    return "".join(
        f"{item.sha256} {number} {min(start + PART_BYTES, item.size_bytes)}\n"
        for item in missing
        if not item.is_whole
        for number, start in enumerate(range(0, item.size_bytes + 1, PART_BYTES))
    ).encode()


def expected_lines(missing: Iterable[MissingObject], command: str) -> dict[str, frozenset[str]]:
    """By sha256 the lines that place.sh is to find with the hash command `command`.

    InputError where a file is not what it was when the deployment began.
    """
    expected = {}
    for item in missing:
        if item.is_whole:
            lines = [f"{digest_by(command, item.source, item.sha256)}  {item.sha256}"]
        else:
            digests = part_digests(command, item.source, PART_BYTES)
            lines = [f"{digest} {item.sha256} {number}" for number, digest in enumerate(digests)]
        check_source(item.source, item.sha256)  # nobody changed it before it was read just now
        expected[item.sha256] = frozenset(lines)
    return expected


def wrong_objects(text: str, expected: Mapping[str, frozenset[str]]) -> set[str]:
    """Which of the objects in `expected` have a line that is not in `text`, what place.sh found."""
    found = frozenset(text.splitlines())
    return {sha256 for sha256, lines in expected.items() if not lines <= found}
