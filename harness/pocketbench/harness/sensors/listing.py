"""Which of the files and programs that sensors use a device has: asked in one round trip."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pocketbench.harness.devices.parsers import clean_text
from pocketbench.harness.errors import DeviceError
from pocketbench.harness.transports.base import Transport

__all__ = ["LISTING_SCRIPT", "Listing", "parse_listing", "take_listing"]

# A hundred thermal zones and their names, each read by a process of its own on a slow phone.
_TIMEOUT_S = 60.0
_ANSWER_BYTES = 4_000_000
_FILES = 2000
_PATH = re.compile(r"/(?:proc|sys)/[A-Za-z0-9_.:/-]{1,300}")

# Arguments: a mark, programs, "--", patterns. A page of each file that a pattern matches, and why not where it cannot
# be read. mksh of Android and dash know all of it.
LISTING_SCRIPT = """
mark=$1
shift
while [ "$1" != -- ]; do
    command -v "$1" >/dev/null 2>&1 && echo "$mark program $1"
    shift
done
shift
for pattern; do
    for file in $pattern; do
        [ -f "$file" ] || continue
        echo "$mark file $file"
        dd if="$file" bs=4096 count=1 2>/dev/null && continue
        echo
        echo "$mark problem"
        cat "$file" 2>&1 >/dev/null
    done
done
echo "$mark end"
"""


@dataclass(frozen=True, slots=True)
class Listing:
    """`files` has what those hold that can be read (their first page), `denied` why others cannot."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    denied: Mapping[str, str] = field(default_factory=dict)
    programs: frozenset[str] = frozenset()

    def readable(self, pattern: str) -> tuple[str, ...]:
        """Paths that match and can be read, by the numbers in them."""
        return _sorted(path for path in self.files if _regular(pattern).fullmatch(path))

    def refused(self, pattern: str) -> tuple[str, ...]:
        """Paths that match and cannot be read."""
        return _sorted(path for path in self.denied if _regular(pattern).fullmatch(path))

    def text(self, path: str) -> str | None:
        """The first line of a file, cleaned; None where it is empty or not to be had."""
        return clean_text(self.files[path].decode(errors="replace").rstrip("\0\n")) if path in self.files else None

    def why_not(self, pattern: str) -> str:
        """Why nothing that matches can be read."""
        refused = self.refused(pattern)
        return f"{refused[0]}: {self.denied[refused[0]]}" if refused else f"nothing at {pattern}"


def take_listing(transport: Transport, patterns: Sequence[str], programs: Sequence[str]) -> Listing:
    """Ask the device; DeviceError where it gives no whole answer, TransportError where it is gone."""
    mark = f"pocketbench-{secrets.token_hex(8)}"
    argv = ("sh", "-c", LISTING_SCRIPT, "sh", mark, *programs, "--", *patterns)
    completed = transport.run(argv, timeout_s=_TIMEOUT_S)
    listing = parse_listing(completed.stdout, mark, patterns, programs)
    if listing is None:
        raise DeviceError(
            f"{transport.address}: expected a list of sensors' files that ends with its mark, got "
            f"{len(completed.stdout)} bytes without one (exit code {completed.exit_code}): check it with "
            f"`pocketbench device check`."
        )
    return listing


# pocketbench-… program vcgencmd
# pocketbench-… file /sys/class/thermal/thermal_zone0/temp
# 48199
# pocketbench-… file /sys/class/powercap/intel-rapl:0/energy_uj
#
# pocketbench-… problem
# cat: /sys/class/powercap/intel-rapl:0/energy_uj: Permission denied
# pocketbench-… end
def parse_listing(data: bytes, mark: str, patterns: Sequence[str], programs: Sequence[str]) -> Listing | None:
    """What LISTING_SCRIPT printed; None where its end is missing. Only what was asked for is taken."""
    body, separator, _ = data[:_ANSWER_BYTES].partition(f"{mark} end\n".encode())
    if not separator:
        return None
    files: dict[str, bytes] = {}
    denied: dict[str, str] = {}
    wanted = [_regular(pattern) for pattern in patterns]
    head, *parts = body.split(f"{mark} file ".encode())
    for part in parts[:_FILES]:
        name, _, content = part.partition(b"\n")
        path = name.decode(errors="replace")
        if not _PATH.fullmatch(path) or ".." in path or not any(one.fullmatch(path) for one in wanted):
            continue
        page, problem, reason = content.partition(f"{mark} problem\n".encode())
        if problem:
            denied[path] = _reason(reason.decode(errors="replace"), path)
        else:
            files[path] = page
    found = set(re.findall(rf"^{re.escape(mark)} program (\S+)$", head.decode(errors="replace"), re.MULTILINE))
    return Listing(files, denied, frozenset(found & set(programs)))


def _reason(text: str, path: str) -> str:
    """`Permission denied` of `cat: PATH: Permission denied`."""
    line = clean_text(text) or "it cannot be read"
    return line.rpartition(f"{path}: ")[2] or line


def _regular(pattern: str) -> re.Pattern[str]:
    return re.compile("[A-Za-z0-9_.:-]*".join(re.escape(part) for part in pattern.split("*")))


def _sorted(paths: Iterable[str]) -> tuple[str, ...]:
    def key(path: str) -> list[tuple[int, str]]:
        return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path)]

    return tuple(sorted(paths, key=key))
