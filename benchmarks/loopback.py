"""Devices that are this computer: an sshd on loopback, an emulated adbd in a process of its own, and distance to them.

Each is started by `with` and ended with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.devices.processes import end, module, start
from tests.devices.sshd import Sshd

__all__ = ["board", "distance", "phone", "ssh_config"]


@contextmanager
def board(folder: Path) -> Iterator[Sshd]:
    """An sshd that asks for the key in its `key_file`; `folder` is the home of its user."""
    # Scripts of this computer's user that bash runs at each login, by SSH too, are none of the question.
    with Sshd(folder / "sshd", ["Subsystem sftp internal-sftp", f"SetEnv HOME={folder}"]) as server:
        yield server


def ssh_config(server: Sshd, port: int, folder: Path) -> Path:
    """A file for `ssh -F`, made in `folder`, by which the host `board` is `server` as it is seen at `port`."""
    folder.mkdir(exist_ok=True)
    known, config = folder / "known_hosts", folder / "config"
    _, key = server.known_hosts_line().split(maxsplit=1)
    known.write_text(f"[{server.host}]:{port} {key}")
    config.write_text(
        f"Host board\n  HostName {server.host}\n  Port {port}\n  User {server.user}\n"
        f"  IdentityFile {server.key_file}\n  IdentitiesOnly yes\n  UserKnownHostsFile {known}\n"
        "  GlobalKnownHostsFile none\n  BatchMode yes\n"
    )
    return config


@contextmanager
def phone() -> Iterator[int]:
    """The port of an emulated phone that trusts everybody."""
    with _serving(module("benchmarks.push_phone")) as port:
        yield port


@contextmanager
def distance(port: int, delay_ms: float) -> Iterator[int]:
    """Another way to `port` of loopback, on which everything takes `delay_ms` more in either direction; its port."""
    with _serving(module("benchmarks.distance", str(port), str(delay_ms))) as far:
        yield far


@contextmanager
def _serving(argv: Sequence[str]) -> Iterator[int]:
    """A process that prints the port that it listens at."""
    process = start(argv, talk=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        end(process)
