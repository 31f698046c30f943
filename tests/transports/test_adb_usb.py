"""A phone on the USB bus. There is none here: a pretended bus carries the transfers to an emulated phone over TCP."""

from __future__ import annotations

import io
import os
import socket
from pathlib import PurePosixPath

import pytest

from pocketbench.harness.errors import TransportError
from pocketbench.harness.transports import adb_usb
from pocketbench.harness.transports.adb import phone_by_serial
from pocketbench.harness.transports.adb_link import LinkBrokenError
from pocketbench.harness.transports.adb_usb import UsbWire, usb_serials
from tests.devices.phone import Phone

usb1 = pytest.importorskip("usb1")
from adb_shell.exceptions import UsbReadFailedError, UsbWriteFailedError  # noqa: E402 (it needs usb1)

TIMEOUT_S = 60.0
PACKET_BYTES = 512


class PretendedUsb:
    """The part of adb-shell's UsbTransport that is used, with a phone's way to take transfers.

    A transfer ends with a packet that is not full; where one does not, the phone waits for more: the next is refused.
    """

    def __init__(self, phone: Phone, serial: str = "A1", problem: Exception | None = None) -> None:
        self.serial_number = serial
        self._phone = phone
        self._problem = problem
        self._socket: socket.socket | None = None
        self._unfinished = False
        self._setting = self
        self.closed = 0

    def iterEndpoints(self):
        return [self, self]

    def getMaxPacketSize(self):
        return PACKET_BYTES

    def connect(self) -> None:
        if self._problem is not None:
            raise self._problem
        self._socket = socket.create_connection((self._phone.host, self._phone.port))

    def bulk_write(self, data: bytes, timeout_s: float) -> int:
        assert self._socket is not None
        assert not (self._unfinished and data), "the transfer before has no end"
        self._unfinished = len(data) > 0 and len(data) % PACKET_BYTES == 0
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise UsbWriteFailedError("Could not send", usb1.USBErrorNoDevice()) from error
        return len(data)

    def bulk_read(self, size: int, timeout_s: float) -> bytes:
        """As libusb: a part of a transfer that was on its way comes with the error of the time limit."""
        assert self._socket is not None
        self._socket.settimeout(timeout_s)
        data = b""
        try:
            while len(data) < size:
                piece = self._socket.recv(size - len(data))
                if not piece:
                    raise UsbReadFailedError("Could not receive", usb1.USBErrorNoDevice())
                data += piece
        except TimeoutError as error:
            problem = usb1.USBErrorTimeout()
            problem.received = bytearray(data)
            raise UsbReadFailedError("Could not receive", problem) from error
        return data

    def close(self) -> None:
        self.closed += 1
        if self._socket is not None:
            self._socket.close()


@pytest.fixture
def plugged_in(monkeypatch, no_adb_server):
    """What makes the pretended bus have these phones, and some that may not be opened."""

    def plug(*phones: PretendedUsb, denied: int = 0) -> None:
        monkeypatch.setattr(adb_usb, "_phones", lambda: ([(one, one.serial_number) for one in phones], denied))

    return plug


def test_commands_and_files_go_over_usb(phone, plugged_in, tmp_path):
    bus = PretendedUsb(phone)
    plugged_in(PretendedUsb(phone, "B2"), bus)
    data = os.urandom(3 << 20)
    (tmp_path / "source").write_bytes(data)

    with phone_by_serial("pixel", "A1", say=print, android_directory=tmp_path / "android") as transport:
        assert transport.way() == "directly over USB"
        completed = transport.run(
            ["sh", "-c", "cat; echo err >&2; exit 3"], timeout_s=TIMEOUT_S, stdin=io.BytesIO(data)
        )
        assert (completed.exit_code, completed.stdout, completed.stderr) == (3, data, b"err\n")
        assert transport.run(["sh", "-c", "sleep 1.5; echo late"], timeout_s=TIMEOUT_S).stdout == b"late\n"
        transport.push(tmp_path / "source", PurePosixPath("/data/local/tmp/target"))
        transport.pull(PurePosixPath("/data/local/tmp/target"), tmp_path / "back")

    assert (tmp_path / "back").read_bytes() == data
    assert bus.closed == 1


@pytest.mark.parametrize("size", [511, 512, 513, 1024, 1 << 20])
def test_a_transfer_of_full_packets_is_ended(phone, plugged_in, tmp_path, size):
    plugged_in(PretendedUsb(phone))

    with phone_by_serial("pixel", "A1", say=print, android_directory=tmp_path / "android") as transport:
        # The packet of the input and the one that ends it have headers of five bytes.
        assert transport.run(["cat"], timeout_s=TIMEOUT_S, stdin=b"x" * (size - 10)).exit_code == 0
        assert transport.run(["true"], timeout_s=TIMEOUT_S).exit_code == 0


def test_unplugged_in_the_middle_and_plugged_in_again(phone, plugged_in, tmp_path):
    plugged_in(PretendedUsb(phone))
    with phone_by_serial("pixel", "A1", say=print, android_directory=tmp_path / "android") as transport:
        assert transport.run(["true"], timeout_s=TIMEOUT_S).exit_code == 0
        phone.cut_at_message(4)
        with pytest.raises(TransportError, match=r"^pixel: expected the connection to last while running 'true'"):
            transport.run(["true"], timeout_s=TIMEOUT_S)

        assert transport.run(["echo", "back"], timeout_s=TIMEOUT_S).stdout == b"back\n"


def refused(*, device: str = "pixel", serial: str = "A1") -> str:
    with pytest.raises(TransportError) as caught:
        phone_by_serial(device, serial, say=print).run(["true"], timeout_s=TIMEOUT_S)
    return str(caught.value)


def test_a_phone_that_a_server_holds_says_what_to_do(phone, plugged_in):
    plugged_in(PretendedUsb(phone, problem=usb1.USBErrorBusy()))

    said = refused()

    assert said.startswith("pixel: expected to open the phone A1 over USB, got: it is busy.")
    assert "`adb kill-server`" in said


def test_a_phone_that_this_user_may_not_open_says_what_to_do(phone, plugged_in):
    plugged_in(PretendedUsb(phone, problem=usb1.USBErrorAccess()))
    assert "Install the udev rules for Android" in refused()

    plugged_in(denied=1)
    assert "Install the udev rules for Android" in refused()


def test_a_phone_that_fails_in_another_way_is_named(phone, plugged_in):
    plugged_in(PretendedUsb(phone, problem=usb1.USBErrorIO()))

    assert refused().startswith("pixel: expected to open the phone A1 over USB, got: LIBUSB_ERROR_IO")


def test_two_phones_with_one_serial_are_named(phone, plugged_in):
    plugged_in(PretendedUsb(phone), PretendedUsb(phone))

    assert "expected one phone with the serial A1, got several" in refused()


def test_a_phone_that_is_not_there_is_told_with_those_that_are(phone, plugged_in):
    plugged_in(PretendedUsb(phone, "B2"), PretendedUsb(phone, "C3"))

    assert refused().startswith(
        "pixel: expected the phone A1 on the USB bus (no adb server runs), got: B2 (USB), C3 (USB). Use a cable"
    )


def test_without_libusb_it_is_told_what_to_install(monkeypatch, no_adb_server):
    def missing() -> None:
        raise adb_usb.UsbMissingError("the library libusb (`apt-get install libusb-1.0-0`)")

    monkeypatch.setattr(adb_usb, "_import_usb1", missing)

    assert "Install the library libusb (`apt-get install libusb-1.0-0`), or start an adb server" in refused()


def test_the_bus_of_this_computer_can_be_looked_at():
    assert all(isinstance(serial, str) for serial in usb_serials())


def test_a_wire_that_was_closed_says_so(phone):
    bus = PretendedUsb(phone)
    bus.connect()
    wire = UsbWire(bus)
    wire.set_timeout(0.5)
    with pytest.raises(TimeoutError):
        wire.receive(24)
    wire.close()
    wire.close()

    with pytest.raises(LinkBrokenError, match="closed"):
        wire.send(b"x" * 24, b"")
    with pytest.raises(LinkBrokenError, match="closed"):
        wire.receive(24)
    assert bus.closed == 1
