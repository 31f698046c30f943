"""The ways of benchmarks/push.py: our deployment and what a user would run instead, to a board and to a phone.

Both are this computer: an sshd on loopback, and an emulated adbd in a process of its own. Each call of a way starts
from nothing: ours connects, the others are programs that start and connect.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import adbutils

from pocketbench.harness.deploy.deployment import DeploymentFile, DeploymentPlan, deploy
from pocketbench.harness.deploy.hashing import digest_of
from pocketbench.harness.transports.adb import phone_by_network
from pocketbench.harness.transports.base import Transport
from pocketbench.harness.transports.ssh import SshTransport
from tests.devices.processes import end, start
from tests.devices.sshd import Sshd, free_port

__all__ = ["OURS", "Link", "Way", "links"]

OURS = "pocketbench"
_TIMEOUT_S = 300.0

# A folder of this computer to a folder of the device, with its parent there.
Way = Callable[[Path, Path], None]


@dataclass(frozen=True, slots=True)
class Link:
    """A device with the ways to it by name, ours first; `missing` says which others are not installed, and why."""

    name: str
    connect: Callable[[], Transport]
    ways: dict[str, Way]
    missing: list[str] = field(default_factory=list)


@contextmanager
def links() -> Iterator[list[Link]]:
    """The board and the phone; both end with the block."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pocketbench-push-")))
        yield [_board(stack, scratch), _phone(stack, scratch)]


def _board(stack: ExitStack, scratch: Path) -> Link:
    # Scripts of this computer's user that bash runs at each login, by SSH too, are none of the question.
    options = ["Subsystem sftp internal-sftp", f"SetEnv HOME={scratch}"]
    server = stack.enter_context(Sshd(scratch / "sshd", options))
    known = scratch / "known_hosts"
    known.write_text(server.known_hosts_line())
    config = scratch / "config"
    config.write_text(
        f"Host board\n  HostName {server.host}\n  Port {server.port}\n  User {server.user}\n"
        f"  IdentityFile {server.key_file}\n  IdentitiesOnly yes\n  UserKnownHostsFile {known}\n"
        "  GlobalKnownHostsFile none\n  BatchMode yes\n"
    )

    def connect() -> Transport:
        return SshTransport("board", "board", home=scratch, config_files=[config])

    link = Link("ssh", connect, {OURS: _ours(connect)})
    ssh = f"ssh -F {config}"
    _add(link, "scp", lambda source, target: ["scp", "-q", "-r", "-F", str(config), str(source), f"board:{target}"])
    _add(link, "rsync", lambda source, target: ["rsync", "-a", "-e", ssh, f"{source}/", f"board:{target}/"])
    return link


def _phone(stack: ExitStack, scratch: Path) -> Link:
    phone = start([sys.executable, "-m", "benchmarks.push_phone"], talk=True)
    stack.callback(end, phone)
    assert phone.stdout is not None
    port = int(phone.stdout.readline())
    # No adb server is where we look for one, so that ours talks to the phone itself; adb push has its own.
    os.environ["ANDROID_ADB_SERVER_PORT"] = str(free_port())

    def connect() -> Transport:
        return phone_by_network("phone", "127.0.0.1", port, say=print, android_directory=scratch / "android")

    link = Link("adb", connect, {OURS: _ours(connect)})
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

    def way(source: Path, target: Path) -> None:
        completed = subprocess.run(argv(source, target), capture_output=True, text=True, timeout=_TIMEOUT_S)
        if completed.returncode != 0:
            raise RuntimeError(f"{name} failed:\n{completed.stderr}{completed.stdout}")

    link.ways[name] = way


def _ours(connect: Callable[[], Transport]) -> Way:
    def way(source: Path, target: Path) -> None:
        files = tuple(DeploymentFile(path.name, path, digest_of(path)) for path in sorted(source.iterdir()))
        with connect() as transport:
            deploy(transport, PurePosixPath(target), DeploymentPlan("push", files), check=lambda deployment: None)

    return way
