"""An FNIRSI USB meter through pyusb, which is imported when a meter is opened."""

from __future__ import annotations

import contextlib
import importlib
import time
from collections.abc import Iterator
from typing import Any

from pocketbench.checked.errors import MissingExtraError
from pocketbench.harness.errors import DeviceError
from pocketbench.harness.sensors.fnirsi import SAMPLES_PER_S, decode_packet
from pocketbench.harness.sensors.meters import MeterSample
from pocketbench.harness.sensors.spec import Boundary

__all__ = ["FnirsiMeter"]

# (vendor, product) → seconds between requests for more: FNB48, C1, FNB58, FNB48S.
_KNOWN = {(0x0483, 0x003A): 0.003, (0x0483, 0x003B): 0.003, (0x2E3C, 0x5558): 1.0, (0x2E3C, 0x0049): 1.0}
_BODY = b"\x00" * 61
_HELLO = b"\xaa\x81" + _BODY + b"\x8e"
_BEGIN = b"\xaa\x82" + _BODY + b"\x96"
_MORE = b"\xaa\x83" + _BODY + b"\x9e"
_HID_CLASS = 0x03
_IN_MASK = 0x80
_READ_MS = 1000
_PACKET_BYTES = 64


class FnirsiMeter:
    """The first meter that is plugged into this computer; it meters what goes through it, the input of a board.

    Its time is the count of its samples at 100 a second: packets of four arrive in bursts, so that the time of arrival
    says less. A damaged packet has its four samples missing, and not the time that they took.
    """

    rate_hz = float(SAMPLES_PER_S)
    boundary: Boundary = "board input"

    def __init__(self) -> None:
        try:
            self._core = importlib.import_module("usb.core")
            self._util = importlib.import_module("usb.util")
        except ImportError:
            raise MissingExtraError("pyusb", "an FNIRSI meter", ["meters"]) from None
        self._count = 0
        self._usb, self._pause_s = self._found()
        self.name = f"FNIRSI {self._usb.idVendor:04x}:{self._usb.idProduct:04x}"
        with self._translated():
            self._input, self._output = self._endpoints()
            for command in (_HELLO, _BEGIN, _BEGIN if self._pause_s == 1.0 else _MORE):
                self._output.write(command)
        self._next = time.monotonic() + self._pause_s

    def read(self) -> tuple[MeterSample, ...]:
        """The four samples of the next packet; none where it was damaged. DeviceError where the meter is gone."""
        with self._translated():
            if time.monotonic() >= self._next:
                self._output.write(_MORE)
                self._next = time.monotonic() + self._pause_s
            packet = bytes(self._input.read(_PACKET_BYTES, _READ_MS))
        samples = decode_packet(packet)
        if samples == ():
            return ()
        first = self._count
        self._count += 4
        if samples is None:
            return ()
        return tuple(
            MeterSample((first + index) / SAMPLES_PER_S, sample.power_w) for index, sample in enumerate(samples)
        )

    def close(self) -> None:
        """Give the USB device back."""
        self._util.dispose_resources(self._usb)

    def _found(self) -> tuple[Any, float]:
        for (vendor, product), pause_s in _KNOWN.items():
            try:
                device = self._core.find(idVendor=vendor, idProduct=product)
            except self._core.NoBackendError:
                raise DeviceError(
                    "expected libusb for an FNIRSI meter, got none: install the system's package libusb-1.0-0."
                ) from None
            if device is not None:
                return device, pause_s
        raise DeviceError("expected an FNIRSI meter on USB, got none: plug its PC port in with a cable for data.")

    def _endpoints(self) -> tuple[Any, Any]:
        """In and out of the interface for human interface devices, which the kernel's driver must let go of."""
        configuration = self._usb.get_active_configuration()
        hid = [interface for interface in configuration if interface.bInterfaceClass == _HID_CLASS]
        if not hid:
            raise DeviceError(f"expected {self.name} to have a HID interface, got none: plug it in again.")
        if self._usb.is_kernel_driver_active(hid[0].bInterfaceNumber):
            self._usb.detach_kernel_driver(hid[0].bInterfaceNumber)
        ends = {bool(end.bEndpointAddress & _IN_MASK): end for end in hid[0]}
        if set(ends) != {True, False}:
            raise DeviceError(
                f"expected {self.name} to have a way in and a way out, got {len(ends)}: plug it in again."
            )
        return ends[True], ends[False]

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except self._core.USBError as error:
            raise DeviceError(
                f"expected {self.name} to answer, got: {error}: plug it in again, and let your user open it (a udev "
                f"rule for {self._usb.idVendor:04x}:{self._usb.idProduct:04x})."
            ) from error
