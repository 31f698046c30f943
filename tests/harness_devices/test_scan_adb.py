"""What the adb server lists, from the text to rows: the forms of a real listing, its states, and hostile serials."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from pocketbench.harness.devices.address import parse_address
from pocketbench.harness.devices.scan_adb import ask_adb_server, parse_listing
from tests.devices.sshd import free_port

# The forms of AOSP packages/modules/adb, transport.cpp: append_transport() and to_string(ConnectionState).
LISTING = """\
R58N12ABCDE            unauthorized usb:1-3 transport_id:2
2A111FDH200            device usb:1-2 product:shiba model:Pixel_8 device:shiba transport_id:3
192.168.1.5:5555       offline transport_id:4
(no serial number)     no permissions (missing udev rules? user is in the plugdev group); see [http://x] usb:1-4
adb-3B222GEI311-x7k2Lq._adb-tls-connect._tcp device product:husky model:Pixel_8_Pro device:husky transport_id:6
emulator-5554          device product:sdk model:sdk_gphone64_x86_64 device:emu64xa transport_id:7
"""


def test_phones_are_listed_with_model_state_and_what_to_do_on_which_screen():
    rows = parse_listing(LISTING)

    assert [(row.address, row.what) for row in rows if row.to_do is None] == [
        ("adb://2A111FDH200", "Pixel 8"),
        ("adb://adb-3B222GEI311-x7k2Lq._adb-tls-connect._tcp", "Pixel 8 Pro"),
        ("adb://emulator-5554", "sdk gphone64 x86 64"),
    ]
    unauthorized, offline, denied = rows[3:]
    assert unauthorized.address == "adb://R58N12ABCDE"
    assert "accept the dialog" in str(unauthorized.to_do)
    assert offline.address == "adb+tcp://192.168.1.5:5555"
    assert "adb reconnect offline" in str(offline.to_do)
    assert denied.address is None
    assert "udev rules" in str(denied.to_do)


def test_two_phones_with_one_serial_cannot_be_told_apart():
    rows = parse_listing("0123456789ABCDEF device model:A\n0123456789ABCDEF device model:B\n")

    assert all("several" in str(row.to_do) for row in rows)


@pytest.mark.parametrize(
    "serial", ["--help", "$(id)", "a;b", "a'b", "\x1b[31mred", "x" * 255, "1.2.3.4:99999", "[::1]:0", "../../etc"]
)
def test_a_serial_that_no_address_can_hold_is_shown_clean_and_offered_to_nobody(serial):
    (row,) = parse_listing(f"{serial} device model:X\n")

    assert row.address is None or parse_address(row.address)
    assert (row.address is None) == (row.to_do is not None)
    assert "\x1b" not in (row.to_do or "")


def test_what_is_no_listing_gives_nothing():
    assert parse_listing("") == parse_listing("\n\n\x00\nA1\nA1 DEVICE\n") == []
    assert len(parse_listing("A1 device\n" * 10_000)) <= 200


@contextmanager
def server_that_says(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One connection is taken, its request read, and this answered."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(listener.getsockname()[1]))
    monkeypatch.delenv("ANDROID_ADB_SERVER_ADDRESS", raising=False)
    with closing(listener):
        yield
        thread.join()


def test_a_server_is_asked_once(monkeypatch):
    with server_that_says(b"OKAY%04x%s" % (len(LISTING), LISTING.encode()), monkeypatch):
        seen = ask_adb_server()

    assert seen.problem is None
    assert len(seen.sightings) == 6


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n", b"OKAYzzzz", b"OKAY00ffshort", b"FAIL0002no"])
def test_something_else_at_the_port_of_the_server_is_told_with_the_remedy(answer, monkeypatch):
    with server_that_says(answer, monkeypatch):
        seen = ask_adb_server()

    assert seen.sightings == ()
    assert "no answer that makes sense: restart it" in str(seen.problem)


def test_no_server_and_a_port_that_is_none_are_told(monkeypatch):
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(free_port()))
    assert "`adb start-server`" in str(ask_adb_server().problem)

    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "99999")
    assert "ANDROID_ADB_SERVER_PORT" in str(ask_adb_server().problem)
