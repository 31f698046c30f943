"""The links of benchmarks/push.py: a board by SSH and a phone by ADB, beside this computer and over limited links.

Both are this computer: an sshd on loopback, and Google's adbd where that runs, else an emulated one. A relay in between
(benchmarks/distance.py) makes a cable or a radio of loopback, for our deployment as for the other ways.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import adbutils
import pytest

from benchmarks.google_phone import google_phone
from benchmarks.loopback import board, phone, ssh_config
from benchmarks.push_ways import OURS, Link, add_command, ours
from pocketbench.harness.transports.adb import phone_by_network
from pocketbench.harness.transports.base import Transport
from pocketbench.harness.transports.ssh import SshTransport
from tests.devices.processes import end, module, start
from tests.devices.sshd import free_port

__all__ = ["BOARDS", "LOOPBACK", "PHONES", "Condition", "links"]

_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Condition:
    """What lies between this computer and a device; None and 0 where that is nothing."""

    name: str
    bytes_per_s: float | None = None
    delay_ms: float = 0.0


# What such links carry in practice, each way. The relay itself delays everything by some 0.2 ms, as a cable does.
LOOPBACK = Condition("loopback")
_WIFI = Condition("Wi-Fi", 20e6, 1.0)
BOARDS = (LOOPBACK, Condition("Gigabit Ethernet", 110e6), _WIFI)
PHONES = (LOOPBACK, Condition("USB 3", 200e6), Condition("USB 2", 35e6), _WIFI)


@contextmanager
def links(boards: Sequence[Condition] = BOARDS, phones: Sequence[Condition] = PHONES) -> Iterator[list[Link]]:
    """The board and the phone over each of their links; all ends with the block."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pocketbench-push-")))
        yield [*_boards(stack, scratch, boards), *_phones(stack, scratch, phones)]


@contextmanager
def _limited(port: int, condition: Condition) -> Iterator[int]:
    """The port at which `port` is seen over such a link."""
    if condition == LOOPBACK:
        yield port
        return
    limit = () if condition.bytes_per_s is None else (str(condition.bytes_per_s),)
    process = start(module("benchmarks.distance", str(port), str(condition.delay_ms), *limit), talk=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        end(process)


def _boards(stack: ExitStack, scratch: Path, conditions: Sequence[Condition]) -> Iterator[Link]:
    server = stack.enter_context(board(scratch))
    for condition in conditions:
        port = stack.enter_context(_limited(server.port, condition))
        yield _board(ssh_config(server, port, scratch / f"ssh-{port}"), scratch, condition)


def _board(config: Path, home: Path, condition: Condition) -> Link:
    def connect() -> Transport:
        return SshTransport("board", "board", home=home, config_files=[config])

    link = Link(f"ssh, {condition.name}", condition.bytes_per_s, connect, hashing=("rsync", "rsync -z"))
    link.ways[OURS] = ours(connect, connecting=True)
    ssh = f"ssh -F {config}"
    add_command(link, "scp", lambda source, target: ["scp", "-qrF", str(config), str(source), f"board:{target}"])
    add_command(link, "rsync", lambda source, target: ["rsync", "-a", "-e", ssh, f"{source}/", f"board:{target}/"])
    # What a user adds where the link is slow; the programs compress on other cores than the one that encrypts.
    add_command(link, "rsync -z", lambda source, target: ["rsync", "-az", "-e", ssh, f"{source}/", f"board:{target}/"])
    return link


def _phones(stack: ExitStack, scratch: Path, conditions: Sequence[Condition]) -> Iterator[Link]:
    device = _any_phone(stack, scratch)
    # No adb server is where we look for one, so that ours talks to the phone itself; adb push has its own.
    stack.callback(_set_server_port, os.environ.get("ANDROID_ADB_SERVER_PORT"))
    _set_server_port(str(free_port()))
    adb = (adbutils.adb_path(), "-P", str(free_port()))
    stack.callback(subprocess.run, [*adb, "kill-server"], check=False, capture_output=True, timeout=_TIMEOUT_S)
    for condition in conditions:
        port = stack.enter_context(_limited(device, condition))
        subprocess.run([*adb, "connect", f"127.0.0.1:{port}"], check=True, capture_output=True, timeout=_TIMEOUT_S)
        yield _phone(port, adb, scratch / "android", condition)


def _phone(port: int, adb: Sequence[str], keys: Path, condition: Condition) -> Link:
    def connect() -> Transport:
        return phone_by_network("phone", "127.0.0.1", port, say=print, android_directory=keys)

    link = Link(f"adb, {condition.name}", condition.bytes_per_s, connect)
    link.ways[OURS] = ours(connect, connecting=False)
    push = (*adb, "-s", f"127.0.0.1:{port}", "push", "--sync")
    add_command(link, "adb push", lambda source, target: [*push, f"{source}/.", f"{target}/"])
    return link


def _any_phone(stack: ExitStack, scratch: Path) -> int:
    """Google's adbd takes files compressed, as phones since Android 11 do; the emulated one does not."""
    try:
        return stack.enter_context(google_phone(scratch))
    except (pytest.skip.Exception, pytest.fail.Exception) as error:
        print(f"missing: {error}")
        return stack.enter_context(phone())


def _set_server_port(port: str | None) -> None:
    if port is None:
        os.environ.pop("ANDROID_ADB_SERVER_PORT", None)
    else:
        os.environ["ANDROID_ADB_SERVER_PORT"] = port
