"""An emulated phone, and the ways to it: directly, and through Google's adb server; as it is today, and as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pocketbench.harness.transports.adb import phone_by_network
from pocketbench.harness.transports.adb_transport import AdbTransport
from tests.devices.adb_server import AdbProgram
from tests.devices.phone import Phone, old_android
from tests.devices.sshd import free_port


@pytest.fixture
def no_adb_server(monkeypatch) -> None:
    """Whatever runs on this computer, these tests see no adb server and no keys but their own."""
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(free_port()))
    monkeypatch.delenv("ANDROID_ADB_SERVER_ADDRESS", raising=False)
    monkeypatch.delenv("ADB_VENDOR_KEYS", raising=False)


@pytest.fixture
def adb_server(no_adb_server, tmp_path, monkeypatch) -> Iterator[AdbProgram]:
    with AdbProgram(tmp_path / "adb") as adb:
        monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(adb.port))
        yield adb


@pytest.fixture
def phone(tmp_path) -> Iterator[Phone]:
    with Phone(tmp_path / "phone") as phone:
        yield phone


@pytest.fixture
def reach(no_adb_server, tmp_path) -> Iterator[Callable[[Phone], AdbTransport]]:
    """What makes a transport to a phone by its place in the network."""
    opened: list[AdbTransport] = []

    def make(phone: Phone) -> AdbTransport:
        transport = phone_by_network(
            "pixel", phone.host, phone.port, say=_NOBODY.append, android_directory=tmp_path / "android"
        )
        opened.append(transport)
        return transport

    yield make
    for transport in opened:
        transport.close()


_NOBODY: list[str] = []


@pytest.fixture(params=["direct", "server"])
def today(request, phone, reach) -> AdbTransport:
    """A transport to `phone`, both ways."""
    return _reach_by(request.param, request, phone, reach)


@pytest.fixture(params=["direct", "server", "direct-old", "server-old"])
def transport(request, tmp_path, reach) -> Iterator[AdbTransport]:
    """A transport to a phone of today and to one with Android 6, both ways."""
    options = old_android() if request.param.endswith("-old") else {}
    with Phone(tmp_path / "phone", **options) as phone:
        yield _reach_by(request.param.removesuffix("-old"), request, phone, reach)


def _reach_by(way: str, request, phone: Phone, reach: Callable[[Phone], AdbTransport]) -> AdbTransport:
    if way == "server":
        adb = request.getfixturevalue("adb_server")
        adb.connect(phone.host, phone.port)
    transport = reach(phone)
    expected = "through the adb server at" if way == "server" else "directly over TCP"
    assert transport.way().startswith(expected)
    return transport


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Where this computer sees /data/local/tmp of the phone."""
    return tmp_path / "phone/data/local/tmp"
