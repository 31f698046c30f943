"""What is on the device, asked with one command, as everything that a deployment decides by."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pocketbench.harness.deploy.device_scripts import describe, run_script
from pocketbench.harness.deploy.layout import Layout
from pocketbench.harness.deploy.plan import Record, is_name, read_record
from pocketbench.harness.devices.storage import parse_free_bytes
from pocketbench.harness.errors import DeploymentError
from pocketbench.harness.transports.base import Transport

__all__ = ["PlacedObject", "Survey", "parse_survey", "split_marked", "survey"]

# What the scripts call; gzip, flock and one of the hash commands make a difference that is dealt with.
_NEEDED = ("cmp", "cut", "date", "df", "find", "mv", "sort", "stat", "tar", "uniq", "xargs")
# The fastest first: where the processor has no instructions for it sha256sum takes three times as long as b2sum
# (coreutils 9.1, 100 MB: 0.44 s and 0.14 s), and Android, whose sha256sum is fast, has no b2sum. Android 7 has sha1sum.
_HASH_COMMANDS = ("b2sum", "sha256sum", "sha1sum")
# Size, modification, change, inode, mode, name:
# 1048576 1795582737 1795582737 2146375 444 objects/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
_OBJECT = re.compile(r"(\d{1,18}) -?\d{1,18} -?\d{1,18} (\d{1,20}) ([0-7]{1,5}) objects/([0-9a-f]{64})", re.ASCII)
_LINK = re.compile(r"(\d{1,20}) .*/([^/]+)", re.ASCII)
_PARTIAL = re.compile(r"(\d{1,18}) incoming/([0-9a-f]{32})/o/([0-9a-f]{64})", re.ASCII)
_CURRENT = re.compile(r"[0-9A-Za-z-]{1,64}/deployment\.json", re.ASCII)


@dataclass(frozen=True, slots=True)
class PlacedObject:
    """A file by content on the device; `verified` where it is as it was when its hash was last right."""

    size_bytes: int
    inode: str
    executable: bool
    verified: bool


@dataclass(frozen=True, slots=True)
class Survey:
    """One look at the device. It may change the next moment: the scripts that write look again, under the lock.

    `current` is what the link of that name says, "" where there is none. `record` is None where there is none or, with
    the reason in `problem`, a damaged one. `links` maps the files of that deployment to the inodes that they lead to.
    """

    tools: frozenset[str]
    available_bytes: int
    current: str
    record: Record | None
    problem: str | None
    links: Mapping[str, str]
    has_work: bool
    objects: Mapping[str, PlacedObject]
    partials: Mapping[str, Mapping[str, int]]

    @property
    def used_bytes(self) -> int:
        """Bytes of all files below our directory that deployments brought."""
        arrived = sum(size for sizes in self.partials.values() for size in sizes.values())
        return arrived + sum(placed.size_bytes for placed in self.objects.values())

    @property
    def hash_command(self) -> str:
        """What compares an object with a file of this computer."""
        return next(name for name in _HASH_COMMANDS if name in self.tools)

    @property
    def can_hash_by_name(self) -> bool:
        """True where an object can be compared with its name, without a file of this computer."""
        return "sha256sum" in self.tools

    def links_stand(self) -> bool:
        """True where every file of the record leads to the object with its hash."""
        return self.record is not None and all(
            (placed := self.objects.get(file.sha256)) is not None and self.links.get(file.name) == placed.inode
            for file in self.record.files
        )


def survey(transport: Transport, layout: Layout, name: str, deployment_id: str = "") -> Survey:
    """Ask about the deployment in use under `name`, or about `deployment_id`; one round trip, nothing is written.

    Raises DeploymentError where the answer cannot be read, or where a command that deployments need is missing.
    """
    mark = f"pocketbench-{secrets.token_hex(8)}"
    completed = run_script(transport, "survey", layout.directory, name, deployment_id, mark)
    if completed.exit_code != 0 or f"{mark} end".encode() not in completed.stdout:
        raise DeploymentError(
            f"{transport.address}: expected to look into {layout.directory}, got exit code {completed.exit_code}: "
            f"{describe(completed)}. May we read it, and is its shell a POSIX shell?"
        )
    seen = parse_survey(completed.stdout, mark, name, deployment_id or None, f"{transport.address}, {layout.directory}")
    missing = [tool for tool in _NEEDED if tool not in seen.tools]
    if not seen.tools.intersection(_HASH_COMMANDS):
        missing.append(" or ".join(_HASH_COMMANDS))
    if missing:
        raise DeploymentError(
            f"{transport.address}: expected the commands {', '.join(missing)}, got none: install coreutils and tar, "
            "busybox or toybox there."
        )
    return seen


def parse_survey(output: bytes, mark: str, name: str, deployment_id: str | None, where: str) -> Survey:
    """Read what survey.sh prints. Lines that are not of its form (foreign files) are left out."""
    sections: dict[str, bytes] = {}
    tools: set[str] = set()
    current = ""
    for word, value, body in split_marked(output, mark):
        if word == "tool":
            tools.add(value)
        elif word == "current":
            current = value if _CURRENT.fullmatch(value) else ""
        else:
            sections[word] = body
    record, problem = _record(sections, name, deployment_id, where)
    available = parse_free_bytes(_text(sections, "space"))
    if available is None:
        raise DeploymentError(
            f"{where}: expected the free space from `df -Pk`, got {_text(sections, 'space')[:300]!r}: is its df the "
            "one of coreutils, busybox or toybox?"
        )
    return Survey(
        tools=frozenset(tools),
        available_bytes=available,
        current=current,
        record=record,
        problem=problem,
        links=_links(_text(sections, "links")),
        has_work="work" in sections,
        objects=_objects(_text(sections, "objects"), _text(sections, "verified")),
        partials=_partials(_text(sections, "incoming")),
    )


def split_marked(output: bytes, mark: str) -> Iterator[tuple[str, str, bytes]]:
    """The parts of an output whose lines `MARK word value` begin one: word, value, and what follows up to the next."""
    for part in (b"\n" + output).split(f"\n{mark} ".encode())[1:]:
        head, _, body = part.partition(b"\n")
        word, _, value = head.decode(errors="replace").rstrip("\r").partition(" ")
        yield word, value, body


def _text(sections: Mapping[str, bytes], word: str) -> str:
    return sections.get(word, b"").decode(errors="replace")


def _record(
    sections: Mapping[str, bytes], name: str, deployment_id: str | None, where: str
) -> tuple[Record | None, str | None]:
    if "record" not in sections:
        return None, None
    try:
        return read_record(sections["record"], name, deployment_id, where), None
    except DeploymentError as error:
        return None, str(error)


def _objects(listing: str, verified: str) -> dict[str, PlacedObject]:
    known = frozenset(verified.splitlines())
    return {
        match[4]: PlacedObject(int(match[1]), match[2], int(match[3], 8) & 0o100 != 0, line in known)
        for line in listing.splitlines()
        if (match := _OBJECT.fullmatch(line))
    }


def _links(listing: str) -> dict[str, str]:
    found = (_LINK.fullmatch(line) for line in listing.splitlines())
    return {match[2]: match[1] for match in found if match and is_name(match[2])}


def _partials(listing: str) -> dict[str, dict[str, int]]:
    partials: dict[str, dict[str, int]] = {}
    for line in listing.splitlines():
        if match := _PARTIAL.fullmatch(line):
            partials.setdefault(match[2], {})[match[3]] = int(match[1])
    return partials
