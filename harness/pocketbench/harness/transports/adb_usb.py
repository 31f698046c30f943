"""Phones on the USB bus of this computer, without an adb server: through libusb, by adb-shell's UsbTransport."""

from __future__ import annotations

import threading
from typing import Any

from pocketbench.harness.transports.adb_link import LinkBrokenError

__all__ = [
    "SameSerialError",
    "UsbBusyError",
    "UsbDeniedError",
    "UsbMissingError",
    "UsbNotFoundError",
    "UsbWire",
    "claim",
    "usb_serials",
]

# Between two looks at whether the connection was closed.
_POLL_S = 0.5
_SEND_TIMEOUT_S = 30.0


class UsbMissingError(Exception):
    """libusb or its Python package is not installed; `args[0]` says which."""


class UsbNotFoundError(Exception):
    """No phone with that serial; `args[0]` has the serials that are there."""


class SameSerialError(Exception):
    """Several phones say the same serial, as some cheap ones do."""


class UsbBusyError(Exception):
    """Another program holds the phone: an adb server, as a rule."""


class UsbDeniedError(Exception):
    """This user may not open the device."""


def usb_serials() -> list[str]:
    """The serials of phones with USB debugging; those that may not be opened are left out. UsbMissingError."""
    return [serial for _, serial in _phones()[0]]


def claim(serial: str) -> UsbWire:
    """The phone with `serial`, held for us alone; the errors of this file say what is in the way."""
    phones, denied = _phones()
    found = [transport for transport, its_serial in phones if its_serial == serial]
    if len(found) > 1:
        raise SameSerialError
    if not found:
        if denied:
            raise UsbDeniedError
        raise UsbNotFoundError([its_serial for _, its_serial in phones])
    usb1 = _import_usb1()
    try:
        found[0].connect()
    except usb1.USBErrorBusy as error:
        raise UsbBusyError from error
    except usb1.USBErrorAccess as error:
        raise UsbDeniedError from error
    except usb1.USBError as error:
        raise LinkBrokenError(str(error)) from error
    return UsbWire(found[0])


class UsbWire:
    """Transfers to and from one phone. `transport` is a connected UsbTransport of adb-shell. See Wire."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._packet_bytes = max(
            (endpoint.getMaxPacketSize() for endpoint in transport._setting.iterEndpoints()), default=512
        )
        self._timeout_s: float | None = None
        self._interrupted = threading.Event()
        self._closed = False

    def send(self, header: bytes, payload: bytes) -> None:
        """See Wire."""
        self._write(header)
        if payload:
            self._write(payload)
            # A transfer ends with a packet that is not full, so one of full packets needs an empty one after it
            # (AOSP client/usb_linux.cpp, zero_mask).
            if len(payload) % self._packet_bytes == 0:
                self._write(b"")

    def receive(self, size: int) -> bytes:
        """See Wire."""
        data = b""
        waited_s = 0.0
        while len(data) < size:
            if self._interrupted.is_set():
                raise LinkBrokenError("the connection was closed")
            piece = self._read(size - len(data))
            data += piece
            waited_s = 0.0 if piece else waited_s + _POLL_S
            if self._timeout_s is not None and waited_s >= self._timeout_s:
                raise TimeoutError
        return data

    def set_timeout(self, timeout_s: float | None) -> None:
        """See Wire."""
        self._timeout_s = timeout_s

    def interrupt(self) -> None:
        """See Wire."""
        self._interrupted.set()

    def close(self) -> None:
        """See Wire."""
        self._interrupted.set()
        if not self._closed:
            self._closed = True
            self._transport.close()

    def _read(self, size: int) -> bytes:
        """What comes within half a second, which may be nothing."""
        from adb_shell.exceptions import UsbReadFailedError

        try:
            return bytes(self._transport.bulk_read(size, _POLL_S))
        except UsbReadFailedError as error:
            if isinstance(error.usb_error, _import_usb1().USBErrorTimeout):
                return bytes(error.usb_error.received)  # a transfer may have been on its way
            raise LinkBrokenError(str(error.usb_error)) from error

    def _write(self, data: bytes) -> None:
        from adb_shell.exceptions import UsbWriteFailedError

        if self._interrupted.is_set():
            raise LinkBrokenError("the connection was closed")
        try:
            sent = self._transport.bulk_write(data, _SEND_TIMEOUT_S)
        except UsbWriteFailedError as error:
            self._interrupted.set()
            raise LinkBrokenError(str(error.args[-1])) from error
        if sent != len(data):
            self._interrupted.set()
            raise LinkBrokenError(f"{sent} of {len(data)} bytes were taken")


def _phones() -> tuple[list[tuple[Any, str]], int]:
    """Phones with their serials, and how many more there are that this user may not open."""
    usb1 = _import_usb1()
    try:
        from adb_shell.transport.usb_transport import UsbTransport

        present = list(UsbTransport.find_all_adb_devices())
    except usb1.USBError as error:  # adb-shell opens the bus on import
        raise LinkBrokenError(f"no USB bus ({error})") from error
    phones, denied = [], 0
    for transport in present:
        try:
            phones.append((transport, str(transport.serial_number)))
        except usb1.USBErrorAccess:
            denied += 1
        except usb1.USBError:  # it is being unplugged
            continue
    return phones, denied


def _import_usb1() -> Any:
    try:
        import usb1
    except ImportError:
        raise UsbMissingError("the Python package libusb1 (`pip install libusb1`)") from None
    except OSError:  # the package looks for the library on import
        raise UsbMissingError("the library libusb (`apt-get install libusb-1.0-0`)") from None
    return usb1
