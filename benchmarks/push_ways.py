"""The ways of benchmarks/push.py: our deployment and what a user would run instead, to a board and to a phone.

Both are this computer: an sshd on loopback, and an emulated adbd in a process of its own. To the board every way
connects, ours as well as scp and rsync; to the phone adb push goes through a server that is connected, and ours over a
connection that stands, as a campaign's does.
"""

from __future__ import annotations

import functools
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import adbutils

from benchmarks.loopback import board, phone, ssh_config
from pocketbench.harness.deploy.deployment import DeploymentFile, DeploymentPlan, deploy
from pocketbench.harness.deploy.hashing import digest_of
from pocketbench.harness.transports.adb import phone_by_network
from pocketbench.harness.transports.base import Transport, run_checked
from pocketbench.harness.transports.ssh import SshTransport
from tests.devices.sshd import free_port

__all__ = ["OURS", "Link", "Way", "connect_s", "links", "shares", "source_s"]

OURS = "pocketbench"
_TIMEOUT_S = 300.0

_TIMES = 5
# The fastest hash command that the board and the phone have, as ours finds it.
_HASH = 'cd "$1"; find . -type f -exec b2sum {} + >/dev/null'
_DISK = 'cd "$1"; sync -f . 2>/dev/null || sync'

# A folder of this computer to a folder of the device, with its parent there; the seconds that it took.
Way = Callable[[Path, Path], float]


@dataclass(frozen=True, slots=True)
class Link:
    """A device with the ways to it by name, ours first; `missing` says which others are not installed, and why.

    `hashing` are those of the others that hash what arrives.
    """

    name: str
    connect: Callable[[], Transport]
    ways: dict[str, Way]
    hashing: tuple[str, ...] = ()
    missing: list[str] = field(default_factory=list)


@contextmanager
def links() -> Iterator[list[Link]]:
    """The board and the phone; both end with the block."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pocketbench-push-")))
        yield [_board(stack, scratch), _phone(stack, scratch)]


def _board(stack: ExitStack, scratch: Path) -> Link:
    server = stack.enter_context(board(scratch))
    config = ssh_config(server, server.port, scratch / "ssh")

    def connect() -> Transport:
        return SshTransport("board", "board", home=scratch, config_files=[config])

    link = Link("ssh", connect, {OURS: _ours(connect, connecting=True)}, ("rsync",))
    ssh = f"ssh -F {config}"
    _add(link, "scp", lambda source, target: ["scp", "-q", "-r", "-F", str(config), str(source), f"board:{target}"])
    _add(link, "rsync", lambda source, target: ["rsync", "-a", "-e", ssh, f"{source}/", f"board:{target}/"])
    return link


def _phone(stack: ExitStack, scratch: Path) -> Link:
    port = stack.enter_context(phone())
    # No adb server is where we look for one, so that ours talks to the phone itself; adb push has its own.
    os.environ["ANDROID_ADB_SERVER_PORT"] = str(free_port())

    def connect() -> Transport:
        return phone_by_network("phone", "127.0.0.1", port, say=print, android_directory=scratch / "android")

    link = Link("adb", connect, {OURS: _ours(connect, connecting=False)})
    adb, serial = [adbutils.adb_path(), "-P", str(free_port())], f"127.0.0.1:{port}"
    subprocess.run([*adb, "connect", serial], check=True, capture_output=True, timeout=_TIMEOUT_S)
    stack.callback(subprocess.run, [*adb, "kill-server"], check=False, capture_output=True, timeout=_TIMEOUT_S)
    _add(link, "adb push", lambda source, target: [*adb, "-s", serial, "push", "--sync", f"{source}/.", f"{target}/"])
    return link


def _add(link: Link, name: str, argv: Callable[[Path, Path], list[str]]) -> None:
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


def _ours(connect: Callable[[], Transport], *, connecting: bool) -> Way:
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


def connect_s(link: Link) -> float:
    """Median seconds until a connection has run its first command, without what a command takes."""
    times = []
    for _ in range(_TIMES):
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
