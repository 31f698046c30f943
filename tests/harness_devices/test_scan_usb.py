"""Phones on the USB bus, as libusb shows them. There is none here: a pretended bus has the devices."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pocketbench.harness.devices import scan_usb
from pocketbench.harness.devices.scan_usb import look_at_usb

usb1 = pytest.importorskip("usb1")

ADB = (0xFF, 0x42, 0x01)
KEYBOARD = (0x03, 0x01, 0x01)


class PretendedDevice:
    """The part of usb1's USBDevice that is used, and of its settings."""

    def __init__(self, serial: str | None, product: str = "Pixel 8", *, kind: Any = ADB, problem: Any = None) -> None:
        self._serial, self._product, self._kind, self._problem = serial, product, kind, problem

    def iterSettings(self) -> list[PretendedDevice]:
        return [self]

    def getClass(self) -> int:
        return int(self._kind[0])

    def getSubClass(self) -> int:
        return int(self._kind[1])

    def getProtocol(self) -> int:
        return int(self._kind[2])

    def getVendorID(self) -> int:
        return 0x18D1

    def getProductID(self) -> int:
        return 0x4EE7

    def getBusNumber(self) -> int:
        return 1

    def getPortNumberList(self) -> list[int]:
        return [2, 4]

    def getSerialNumber(self) -> str | None:
        if self._problem is not None:
            raise self._problem
        return self._serial

    def getManufacturer(self) -> str:
        return "Google"

    def getProduct(self) -> str:
        return self._product


@pytest.fixture
def plug(monkeypatch):
    """What makes the pretended bus have these devices."""

    def plug(*devices: PretendedDevice) -> None:
        class Bus:
            def __enter__(self) -> Bus:
                return self

            def __exit__(self, *exc_info: object) -> None:
                pass

            def getDeviceIterator(self, skip_on_error: bool) -> Iterator[PretendedDevice]:
                return iter(devices)

        monkeypatch.setattr(usb1, "USBContext", Bus)

    return plug


def test_phones_are_found_among_other_devices(plug):
    plug(PretendedDevice("K1", kind=KEYBOARD), PretendedDevice("A1"), PretendedDevice("B2", "Fairphone\x1b[2J 5"))

    first, second = look_at_usb().sightings

    assert (first.address, first.what, first.to_do) == ("adb://A1", "Google Pixel 8", None)
    assert (second.address, second.what) == ("adb://B2", "Google Fairphone [2J 5")


def test_one_that_may_not_be_opened_is_known_by_what_everybody_may_read(plug, monkeypatch, tmp_path: Path):
    monkeypatch.setattr(scan_usb, "_SYSFS", tmp_path)
    (tmp_path / "1-2.4").mkdir()
    (tmp_path / "1-2.4/serial").write_text("A1\n")
    plug(PretendedDevice("A1", problem=usb1.USBErrorAccess()))

    (denied,) = look_at_usb().sightings

    assert denied.address == "adb://A1"
    assert "serial:A1" in denied.keys
    assert "udev rules" in str(denied.to_do)
    (tmp_path / "1-2.4/serial").unlink()
    (unknown,) = look_at_usb().sightings
    assert (unknown.address, unknown.what) == (None, "USB device 18d1:4ee7")
    assert "udev rules" in str(unknown.to_do)


def test_one_that_is_being_unplugged_is_left_out(plug):
    plug(PretendedDevice("A1", problem=usb1.USBErrorNoDevice()), PretendedDevice("B2"))

    assert [row.address for row in look_at_usb().sightings] == ["adb://B2"]


def test_two_with_one_serial_cannot_be_told_apart(plug):
    plug(PretendedDevice("A1"), PretendedDevice("A1"))

    assert all("several" in str(row.to_do) for row in look_at_usb().sightings)


@pytest.mark.parametrize("serial", [None, "", "--help", "a b", "x\ny", "\x1b]0;title\x07"])
def test_a_serial_that_no_address_can_hold_is_offered_to_nobody(plug, serial):
    plug(PretendedDevice(serial))

    (row,) = look_at_usb().sightings

    assert row.address is None
    assert "expected a serial number" in str(row.to_do)
    assert str(row.to_do).isprintable()


def test_without_libusb_it_is_told_what_to_install(monkeypatch):
    real = builtins.__import__
    for problem, said in ((ImportError(), "pip install libusb1"), (OSError(), "apt-get install libusb-1.0-0")):

        def without(name: str, *rest: Any, problem: Exception = problem) -> Any:
            if name == "usb1":
                raise problem
            return real(name, *rest)

        monkeypatch.setattr(builtins, "__import__", without)
        assert said in str(look_at_usb().problem)


def test_a_bus_that_cannot_be_seen_is_a_problem_with_words(monkeypatch):
    def none() -> None:
        raise usb1.USBErrorOther

    monkeypatch.setattr(usb1, "USBContext", none)

    assert "an adb server" in str(look_at_usb().problem)


def test_the_bus_of_this_computer_can_be_looked_at():
    assert look_at_usb().problem is None
