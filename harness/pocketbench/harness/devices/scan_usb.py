"""Phones on the USB bus, looked at without claiming them: one that an adb server owns stays the server's."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from pocketbench.harness.devices.parsers import clean_text
from pocketbench.harness.devices.scan_adb import no_address, serial_keys
from pocketbench.harness.devices.sighting import Seen, Sighting, checked_address
from pocketbench.harness.transports.adb_errors import in_other_state, same_serial

__all__ = ["look_at_usb"]

_WAY = "USB"
# Class, subclass and protocol of the interface that speaks ADB (AOSP packages/modules/adb, adb.h).
_ADB = (0xFF, 0x42, 0x01)
_MOST = 64
# Where Linux lets everybody read what only some may ask the device (Documentation/ABI/testing/sysfs-bus-usb).
_SYSFS = Path("/sys/bus/usb/devices")


def look_at_usb() -> Seen:
    """Phones with USB debugging, those too that this user may not open."""
    try:
        import usb1
    except ImportError:
        return Seen(problem="not looked at: install the Python package libusb1 (`pip install libusb1`).")
    except OSError:  # the package looks for the library on import
        return Seen(problem="not looked at: install the library libusb (`apt-get install libusb-1.0-0`).")
    try:
        with usb1.USBContext() as context:
            phones = [device for device in context.getDeviceIterator(skip_on_error=True) if _speaks_adb(device)]
            sightings = [sighting for phone in phones[:_MOST] if (sighting := _look_at(usb1, phone)) is not None]
    except usb1.USBError as error:
        return Seen(problem=f"not looked at: there is no bus to be seen ({error}). Phones need an adb server here.")
    times = Counter(sighting.address for sighting in sightings)
    return Seen(tuple(_several(sighting) if times[sighting.address] > 1 else sighting for sighting in sightings))


def _speaks_adb(device: Any) -> bool:
    return any((s.getClass(), s.getSubClass(), s.getProtocol()) == _ADB for s in device.iterSettings())


def _look_at(usb1: Any, device: Any) -> Sighting | None:
    """What it says of itself; None where it is being unplugged."""
    try:
        texts = [device.getSerialNumber(), device.getManufacturer(), device.getProduct()]
    except usb1.USBErrorAccess:
        texts = [_from_sysfs(device, name) for name in ("serial", "manufacturer", "product")]
        return _sighting(device, *(text or "" for text in texts), denied=True)
    except usb1.USBError:
        return None
    return _sighting(device, *(text or "" for text in texts), denied=False)


def _sighting(device: Any, serial: str, manufacturer: str, product: str, *, denied: bool) -> Sighting:
    number = f"USB device {device.getVendorID():04x}:{device.getProductID():04x}"
    address = checked_address(f"adb://{serial}")
    to_do = None
    if denied:
        to_do = str(in_other_state(clean_text(serial) or number, "no permissions"))
    elif address is None:
        to_do = no_address(clean_text(serial) or "")
    return Sighting(
        _WAY,
        address,
        serial_keys(serial) if serial else frozenset(),
        what=clean_text(f"{manufacturer} {product}") or number,
        name_hint=clean_text(product) or serial,
        to_do=to_do,
    )


def _several(sighting: Sighting) -> Sighting:
    if sighting.address is None or sighting.to_do is not None:
        return sighting
    serial = sighting.address.removeprefix("adb://")
    return replace(sighting, to_do=str(same_serial(serial, serial)))


def _from_sysfs(device: Any, name: str) -> str:
    place = f"{device.getBusNumber()}-{'.'.join(map(str, device.getPortNumberList()))}"
    try:
        return (_SYSFS / place / name).read_text(errors="replace").strip()
    except OSError:
        return ""
