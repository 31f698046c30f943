"""All sources together: one row for each device, what is registered marked, and no source that ends the scan."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.devices import scan
from pocketbench.harness.devices.mdns import ADB_PLAIN, ADB_TLS, SSH, Announcement
from pocketbench.harness.devices.registry import Device
from pocketbench.harness.devices.scan import look_around, registered_devices
from pocketbench.harness.devices.scan_adb import parse_listing
from pocketbench.harness.devices.scan_network import sightings_of
from pocketbench.harness.devices.sighting import Seen, Sighting, put_together
from tests.devices.sshd import free_port
from tests.needs import require_program, require_root

pytestmark = pytest.mark.alone

LOOPBACK = ["127.0.0.1"]
TLS = Announcement(ADB_TLS, "adb-A1-x7k2Lq", "10.0.0.5", 37123)
PLAIN = Announcement(ADB_PLAIN, "adb-A1", "10.0.0.5", 5555)


@pytest.fixture(autouse=True)
def no_adb_server(monkeypatch) -> None:
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(free_port()))
    monkeypatch.delenv("ANDROID_ADB_SERVER_ADDRESS", raising=False)


def device(name: str, address: str) -> Device:
    return Device(name, address, "generic-linux", PurePosixPath("/tmp/pocketbench"))


def known(*devices: Device) -> tuple[Sighting, ...]:
    return registered_devices(devices).sightings


def usb(serial: str) -> Sighting:
    return Sighting("USB", f"adb://{serial}", frozenset({f"serial:{serial}"}), what="Google Pixel 8")


def test_a_phone_by_cable_and_by_radio_is_one_and_reached_through_its_server():
    server = parse_listing("A1 device usb:1-2 product:shiba model:Pixel_8 device:shiba\n")

    (row,) = put_together([*server, usb("A1"), *sightings_of([TLS, PLAIN], frozenset())])

    assert (row.address, row.what, row.to_do) == ("adb://A1", "Pixel 8", None)
    assert row.found_by == ("adb server", "USB", "mDNS _adb._tcp", "mDNS _adb-tls-connect._tcp")


@pytest.mark.parametrize(
    "serial", ["10.0.0.5:5555", "10.0.0.5:37123", "adb-A1-x7k2Lq._adb-tls-connect._tcp", "adb-A1._adb._tcp"]
)
def test_what_the_server_found_in_the_network_is_what_announces_itself_there(serial):
    server = parse_listing(f"{serial} device model:Pixel_8\n")

    (row,) = put_together([*server, *sightings_of([TLS, PLAIN], frozenset())])

    assert row.what == "Pixel 8"
    assert row.can_be_added


def test_the_word_of_the_server_counts_where_the_bus_sees_a_phone_too():
    server = parse_listing("A1 unauthorized usb:1-2\n")

    (row,) = put_together([*server, usb("A1")])

    assert not row.can_be_added
    assert "accept the dialog" in str(row.to_do)


@pytest.mark.parametrize(
    "address",
    ["adb://A1", "adb+tcp://10.0.0.5", "adb+tcp://10.0.0.5:37123", "adb://10.0.0.5:5555", "adb://adb-A1._adb._tcp"],
)
def test_a_registered_phone_is_marked_however_it_was_registered(address):
    (row,) = put_together([*known(device("pixel", address)), *sightings_of([TLS, PLAIN], frozenset())])

    assert (row.address, row.registered, row.can_be_added) == (address, ("pixel",), False)


@pytest.mark.parametrize(
    "address",
    ["ssh://kitchen.local", "ssh://pi@Kitchen.local:22", "ssh://10.0.0.7", "ssh://pi@10.0.0.8/", "ssh://my-alias"],
)
def test_a_registered_board_is_marked_however_it_was_registered(address, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/config").write_text("Host my-alias\n  HostName 10.0.0.7\n")
    board = Announcement(SSH, "pi", "10.0.0.7", 22, host_name="kitchen.local", addresses=("10.0.0.7", "10.0.0.8"))

    rows = put_together([*known(device("pi", address), device("pi2", address)), *sightings_of([board], frozenset())])

    assert [(row.address, row.registered, row.found_by) for row in rows] == [
        (address, ("pi", "pi2"), ("mDNS _ssh._tcp",))
    ]


def test_a_board_behind_a_jump_host_is_not_the_one_at_that_address_here(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/config").write_text(
        "Host lab\n  HostName 10.0.0.7\n  ProxyJump gate\nHost bad\n  Match nonsense\n"
    )

    rows = put_together(
        [*known(device("lab", "ssh://lab")), *sightings_of([Announcement(SSH, "pi", "10.0.0.7", 22)], frozenset())]
    )

    assert [(row.address, row.registered) for row in rows] == [("ssh://lab", ("lab",)), ("ssh://10.0.0.7:22", ())]


def test_an_announcement_cannot_hide_one_device_behind_another():
    liar = Announcement(ADB_TLS, "adb-A1-x7k2Lq", "10.0.0.9", 37123, addresses=("10.0.0.9", "10.0.0.5"))
    other = Announcement(ADB_PLAIN, "adb-B2", "10.0.0.5", 5555)

    rows = put_together([*known(device("pixel", "adb://A1")), *sightings_of([liar, other], frozenset())])

    assert [row.address for row in rows if row.can_be_added] == ["adb+tcp://10.0.0.5:5555"]


def test_phones_without_a_serial_number_are_not_taken_for_one():
    two = [Announcement(ADB_PLAIN, "adb-unidentified", f"10.0.0.{n}", 5555) for n in (5, 6)]
    denied = [Sighting("USB", None, frozenset(), what="USB device 18d1:4ee7", to_do="…")] * 2

    assert len(put_together([*denied, *sightings_of(two, frozenset())])) == 4


def test_what_can_be_added_comes_first_and_what_is_registered_last(monkeypatch):
    listing = parse_listing("A1 unauthorized\nB2 device\nC3 device\n")
    monkeypatch.setattr(scan, "ask_adb_server", lambda: Seen(tuple(listing)))
    monkeypatch.setattr(scan, "look_at_usb", Seen)

    found = look_around(lambda: [device("mine", "adb://C3")], timeout_s=0.1, interfaces=LOOPBACK).found

    assert [row.address for row in found] == ["adb://B2", "adb://A1", "adb://C3"]


def test_no_source_ends_the_scan(monkeypatch):
    forever = threading.Event()

    def broken() -> Seen:
        raise RuntimeError("a library\x1b[31m failed\nbadly")

    def unreadable() -> list[Device]:
        raise InputError("devices.yaml:3: expected an address")

    def stuck(*_: object) -> Seen:
        forever.wait(60.0)
        return Seen()

    monkeypatch.setattr(scan, "_GRACE_S", 0.5)
    monkeypatch.setattr(scan, "look_at_usb", broken)
    monkeypatch.setattr(scan, "listen", stuck)
    try:
        result = look_around(unreadable, timeout_s=0.1)
    finally:
        forever.set()

    assert result.found == ()
    assert result.problems["registry"] == "devices.yaml:3: expected an address"
    assert result.problems["USB"] == "not looked at: RuntimeError (a library [31m failed badly)."
    assert "`adb start-server`" in result.problems["adb server"]
    assert "expected an answer within 0.6 s, got none" in result.problems["mDNS"]


def test_a_server_that_takes_the_question_and_is_silent_keeps_nobody_waiting(monkeypatch):
    monkeypatch.setattr(scan, "_GRACE_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(silent.getsockname()[1]))
        result = look_around(lambda: [device("pi", "ssh://10.0.0.7")], timeout_s=0.1, interfaces=LOOPBACK)

    assert [row.registered for row in result.found] == [("pi",)]
    assert "scan again" in result.problems["adb server"]


def test_without_any_network_the_rest_is_still_found():
    require_root("to make a namespace without a network")
    require_program("unshare", "apt-get install util-linux")
    code = (
        "from pocketbench.harness.devices.scan import look_around\n"
        "print(look_around(list, timeout_s=0.1).problems['mDNS'])"
    )

    completed = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )

    assert completed.stdout == "not listened to: there is no network here (no interface has an address).\n"
