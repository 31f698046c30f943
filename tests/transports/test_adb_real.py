"""Google's own adbd, as Debian packages it, around an Android-like arm64 tree under qemu."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

from pocketbench.harness.errors import DeviceTimeoutError, TransportError
from pocketbench.harness.transports import adb_direct
from pocketbench.harness.transports.adb import phone_by_network
from pocketbench.harness.transports.adb_transport import AdbTransport
from tests.devices.real_adbd import RealAdbd

HOME = PurePosixPath("/data/local/tmp")
TIMEOUT_S = 60.0


@pytest.fixture
def adbd(android, device_cache) -> Iterator[RealAdbd]:
    with RealAdbd(android, device_cache) as adbd:
        yield adbd


@pytest.fixture(params=["direct", "server"])
def transport(request, adbd, no_adb_server, tmp_path) -> Iterator[AdbTransport]:
    if request.param == "server":
        request.getfixturevalue("adb_server").connect(adbd.host, adbd.port)
    with phone_by_network(
        "pixel", adbd.host, adbd.port, say=print, android_directory=tmp_path / "android"
    ) as transport:
        assert transport.way().startswith("through" if request.param == "server" else "directly")
        yield transport


def test_a_command_gives_exit_code_and_both_streams(transport):
    completed = transport.run(["sh", "-c", "echo out; echo err >&2; exit 42"], timeout_s=TIMEOUT_S)

    assert (completed.exit_code, completed.stdout, completed.stderr) == (42, b"out\n", b"err\n")


def test_a_signal_is_128_plus_its_number(transport):
    assert transport.run(["sh", "-c", "kill -9 $$"], timeout_s=TIMEOUT_S).signal == 9


def test_standard_input_arrives_whole(transport):
    data = os.urandom(5_000_000)

    assert transport.run(["cat"], timeout_s=TIMEOUT_S, stdin=io.BytesIO(data)).stdout == data
    assert transport.run(["cat"], timeout_s=TIMEOUT_S, stdin=b"a\r\n").stdout == b"a\r\n"
    assert transport.run(["head", "-c", "3"], timeout_s=TIMEOUT_S, stdin=io.BytesIO(data)).stdout == data[:3]


def test_a_command_of_any_length_runs(transport):
    assert len(transport.run(["echo", "x" * 100_000], timeout_s=TIMEOUT_S).stdout) == 100_001


def test_a_timeout_ends_the_command_and_its_children(transport):
    with pytest.raises(DeviceTimeoutError):
        transport.run(["sh", "-c", "sleep 1000 & echo $! $$ > /data/local/tmp/pids; wait"], timeout_s=3)

    script = "for p in $(cat /data/local/tmp/pids); do kill -0 $p 2>/dev/null && echo $p; done; true"
    assert transport.run(["sh", "-c", script], timeout_s=TIMEOUT_S).stdout == b""


def test_files_go_and_come_with_their_mode(transport, android, tmp_path):
    (tmp_path / "source").write_bytes(os.urandom(5_000_000))

    transport.push(tmp_path / "source", HOME / "a b'c\n,420", mode=0o750)
    transport.pull(HOME / "a b'c\n,420", tmp_path / "back")

    assert (tmp_path / "back").read_bytes() == (tmp_path / "source").read_bytes()
    assert [(path.name, path.stat().st_mode & 0o777) for path in android.data.iterdir()] == [("a b'c\n,420", 0o750)]


def test_files_that_cannot_be_are_told(transport, tmp_path):
    (tmp_path / "source").write_bytes(b"x")

    with pytest.raises(TransportError, match="No such file or directory"):
        transport.pull(HOME / "missing", tmp_path / "back")
    with pytest.raises(TransportError, match="Is a directory"):
        transport.pull(HOME, tmp_path / "back")
    with pytest.raises(TransportError, match=r"got: .*(Not a directory|File exists|create)"):
        transport.push(tmp_path / "source", PurePosixPath("/system/bin/sh/x"))


def test_it_is_taken_up_again_after_a_cut(transport, adbd, request, monkeypatch):
    monkeypatch.setattr(adb_direct, "_ANSWER_TIMEOUT_S", 2.0)
    assert transport.run(["true"], timeout_s=TIMEOUT_S).exit_code == 0
    adbd.unplug()
    with pytest.raises(TransportError, match=r"^pixel: expected (the connection to last|a phone that is ready)"):
        transport.run(["true"], timeout_s=TIMEOUT_S)

    adbd.plug()
    if "server" in request.node.name:
        adb = request.getfixturevalue("adb_server")
        adb.run("disconnect")
        adb.connect(adbd.host, adbd.port)
    assert transport.run(["echo", "back"], timeout_s=TIMEOUT_S).stdout == b"back\n"
