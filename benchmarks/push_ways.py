"""The ways of benchmarks/push.py: our deployment, and the programs that a user would run instead.

To a board every way connects, ours as well as scp and rsync; to a phone adb push goes through a server that is
connected, and ours over a connection that stands, as a campaign's does.
"""

from __future__ import annotations

import functools
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pocketbench.harness.deploy.deployment import DeploymentFile, DeploymentPlan, deploy
from pocketbench.harness.deploy.hashing import digest_of
from pocketbench.harness.transports.base import Transport, run_checked

__all__ = ["OURS", "Link", "Way", "add_command", "connect_s", "ours", "round_trip_s", "shares", "source_s"]

OURS = "pocketbench"
_TIMEOUT_S = 300.0
_CONNECTIONS = 5
_ROUND_TRIPS = 20
# The fastest hash command that the board and the phone have, as ours finds it.
_HASH = 'cd "$1"; find . -type f -exec b2sum {} + >/dev/null'
_DISK = 'cd "$1"; sync -f . 2>/dev/null || sync'

# A folder of this computer to a folder of the device, with its parent there; the seconds that it took.
Way = Callable[[Path, Path], float]


@dataclass(frozen=True, slots=True)
class Link:
    """A device and what it is reached over, with the ways to it by name; `missing` says what is not installed.

    `bytes_per_s` is None where nothing limits it. `hashing` are those of the others that hash what arrives.
    """

    name: str
    bytes_per_s: float | None
    connect: Callable[[], Transport]
    hashing: tuple[str, ...] = ()
    ways: dict[str, Way] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def add_command(link: Link, name: str, argv: Callable[[Path, Path], list[str]]) -> None:
    """Add the way by the program `argv(source, target)`, if it is installed."""
    program = argv(Path("x"), Path("y"))[0]
    if shutil.which(program) is None:
        link.missing.append(f"{name} (install {program})")
        return

    def way(source: Path, target: Path) -> float:
        began_s = time.perf_counter()
        completed = subprocess.run(argv(source, target), capture_output=True, text=True, timeout=_TIMEOUT_S)
        elapsed_s = time.perf_counter() - began_s
        if completed.returncode != 0:
            raise RuntimeError(f"{name} failed:\n{completed.stderr}{completed.stdout}")
        return elapsed_s

    link.ways[name] = way


def ours(connect: Callable[[], Transport], *, connecting: bool) -> Way:
    """Our deployment; `connecting` says whether its time has the connection in it."""

    def way(source: Path, target: Path) -> float:
        source_s(source)
        files = tuple(DeploymentFile(path.name, path, digest_of(path)) for path in sorted(source.iterdir()))
        plan = DeploymentPlan("push", files)
        began_s = time.perf_counter()
        with connect() as transport:
            if not connecting:
                _run(transport, "true", Path("/"))
                began_s = time.perf_counter()
            deploy(transport, PurePosixPath(target), plan, check=lambda deployment: None)
            return time.perf_counter() - began_s

    return way


@functools.cache
def source_s(folder: Path) -> float:
    """Seconds for hashing the files on this computer, which a process does once for each of them."""
    began_s = time.perf_counter()
    for path in folder.iterdir():
        for algorithm in ("sha256", "blake2b"):
            digest_of(path, algorithm)
    return time.perf_counter() - began_s


def shares(transport: Transport, target: Path) -> tuple[float, float]:
    """Seconds for bringing what is below `target` of the device to its disk, then for hashing it there."""
    return _run(transport, _DISK, target), _run(transport, _HASH, target)


def round_trip_s(link: Link) -> float:
    """Median time of a command that does nothing, on a connection that stands."""
    with link.connect() as transport:
        transport.run(["true"], timeout_s=60)
        return statistics.median(transport.run(["true"], timeout_s=60).duration_s for _ in range(_ROUND_TRIPS))


def connect_s(link: Link) -> float:
    """Median seconds until a connection has run its first command, without what a command takes."""
    times = []
    for _ in range(_CONNECTIONS):
        began_s = time.perf_counter()
        with link.connect() as transport:
            _run(transport, "true", Path("/"))
            times.append(time.perf_counter() - began_s - _run(transport, "true", Path("/")))
    return statistics.median(times)


def _run(transport: Transport, script: str, folder: Path) -> float:
    """Seconds that a script takes, with the way there and back."""
    began_s = time.perf_counter()
    run_checked(transport, ("sh", "-c", script, "sh", str(folder)), timeout_s=_TIMEOUT_S)
    return time.perf_counter() - began_s
