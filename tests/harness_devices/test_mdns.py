"""Announcements on the loopback interface, made by the same library that real hosts' answers come from."""

from __future__ import annotations

import socket

import pytest
from zeroconf import ServiceInfo, Zeroconf

from pocketbench.harness.devices.mdns import ADB_TLS, SSH, Announcement, browse

pytestmark = pytest.mark.alone

LOOPBACK = ["127.0.0.1"]


@pytest.fixture
def announce():
    zeroconf = Zeroconf(interfaces=LOOPBACK)

    def announce(service: str, name: str, port: int, address: str = "127.0.0.1") -> None:
        addresses = [socket.inet_aton(address)]
        zeroconf.register_service(
            ServiceInfo(service, f"{name}.{service}", addresses=addresses, port=port, server="pocketbench-test.local.")
        )

    yield announce
    zeroconf.close()


def test_phones_and_boards_are_heard_with_address_and_port(announce):
    announce(SSH, "pi\u202ekitchen", 2222)  # would turn the rest of a terminal's line around
    announce(ADB_TLS, "adb-2A111FDH200-x7k2Lq", 37123)

    assert browse(2.0, interfaces=LOOPBACK) == [
        Announcement(ADB_TLS, "adb-2A111FDH200-x7k2Lq", "127.0.0.1", 37123),
        Announcement(SSH, "pi kitchen", "127.0.0.1", 2222),
    ]


def test_silence_is_no_error():
    assert browse(0.2, interfaces=LOOPBACK) == []
