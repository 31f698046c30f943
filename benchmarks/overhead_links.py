"""The links of benchmarks/overhead.py: every transport, beside this computer and at a distance from it.

What answers is this computer each time, so that the launch itself is the same. A phone is Google's adbd where that
runs: the emulated one sends every piece by itself and waits for its acknowledgement, so a distant launch takes longer.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.google_phone import google_phone
from benchmarks.loopback import board, distance, phone, ssh_config
from pocketbench.harness.transports.adb import phone_by_network
from pocketbench.harness.transports.base import Transport
from pocketbench.harness.transports.local import LocalTransport
from pocketbench.harness.transports.ssh import SshTransport
from tests.devices.adb_server import AdbProgram

__all__ = ["Link", "links"]

_SERVER_PORT = "ANDROID_ADB_SERVER_PORT"


@dataclass(frozen=True, slots=True)
class Link:
    """A way to a device; `round_trip_ms` is what the distance adds, the rest of loopback's is microseconds."""

    transport: str
    device: str
    round_trip_ms: float
    connect: Callable[[], Transport]


@contextmanager
def links(delay_ms: float) -> Iterator[list[Link]]:
    """All links, without a delay and with `delay_ms` in either direction; they end with the block."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pocketbench-overhead-")))
        yield [
            Link("local", "itself", 0.0, LocalTransport),
            *_boards(stack, scratch, delay_ms),
            *_phones(stack, scratch, delay_ms),
        ]


def _boards(stack: ExitStack, scratch: Path, delay_ms: float) -> Iterator[Link]:
    server = stack.enter_context(board(scratch))
    far = stack.enter_context(distance(server.port, delay_ms))
    for port, delay in ((server.port, 0.0), (far, delay_ms)):
        yield Link("ssh", "OpenSSH", 2 * delay, _ssh(ssh_config(server, port, scratch / f"ssh-{port}"), scratch))


def _ssh(config: Path, home: Path) -> Callable[[], Transport]:
    return lambda: SshTransport("board", "board", home=home, config_files=[config])


def _phones(stack: ExitStack, scratch: Path, delay_ms: float) -> Iterator[Link]:
    server = stack.enter_context(AdbProgram(scratch / "adb"))
    stack.callback(_set_server_port, os.environ.get(_SERVER_PORT))
    _set_server_port(str(server.port))
    for delay in (0.0, delay_ms):
        for transport in ("adb direct", "adb server"):
            device, port = _phone(stack, scratch)
            if delay:
                port = stack.enter_context(distance(port, delay))
            if transport == "adb server":
                server.connect(server.host, port)
            yield Link(transport, device, 2 * delay, _adb(port, scratch / "android"))


def _phone(stack: ExitStack, scratch: Path) -> tuple[str, int]:
    """Whose adbd, and its port."""
    try:
        return "Google's adbd", stack.enter_context(google_phone(scratch))
    except (pytest.skip.Exception, pytest.fail.Exception) as error:
        print(f"missing: {error}")
        return "emulated adbd", stack.enter_context(phone())


def _adb(port: int, keys: Path) -> Callable[[], Transport]:
    return lambda: phone_by_network("phone", "127.0.0.1", port, say=print, android_directory=keys)


def _set_server_port(port: str | None) -> None:
    if port is None:
        os.environ.pop(_SERVER_PORT, None)
    else:
        os.environ[_SERVER_PORT] = port
