"""Phones that the adb server of this computer knows, with their state and, where they are ready, their model."""

from __future__ import annotations

import contextlib
import re
from collections import Counter

from pocketbench.checked.errors import InputError
from pocketbench.harness.devices.parsers import clean_text
from pocketbench.harness.devices.sighting import Seen, Sighting, checked_address, phone_keys
from pocketbench.harness.transports.adb_errors import in_other_state, same_serial
from pocketbench.harness.transports.adb_link import LinkBrokenError, ServiceRefusedError
from pocketbench.harness.transports.adb_protocol import AdbProtocolError
from pocketbench.harness.transports.adb_server import AdbServer

__all__ = ["ask_adb_server", "instance_keys", "no_address", "parse_listing", "serial_keys"]

_WAY = "adb server"
_MOST = 200
# AOSP packages/modules/adb, transport.cpp, append_transport(); a phone without a serial number is called by a phrase:
# 2A111FDH200            device usb:1-2 product:shiba model:Pixel_8 device:shiba transport_id:3
# (no serial number)     no permissions (missing udev rules?); see [http://…] usb:1-4 transport_id:4
_LISTED = re.compile(r"(?P<serial>\(no serial number\)|\S{1,255})\s+(?P<state>no permissions|[a-z]{1,32})(?=\s|$)")
_MODEL = re.compile(r"\smodel:(\S{1,64})")
_NO_SERIAL = "(no serial number)"
_PLACE = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]{2,45})\]|(?P<host>[A-Za-z0-9_.-]{1,253})):(?P<port>[0-9]{1,5})", re.A)
# AOSP packages/modules/adb, daemon/mdns.cpp: adb-SERIAL, and with six random characters for wireless debugging. The
# server calls a phone that it found by mDNS by the whole name of the service.
_INSTANCE = re.compile(r"adb-(?P<serial>\S{1,128}?)(?:-[0-9A-Za-z]{6})?", re.ASCII)
_UNIDENTIFIED = "unidentified"  # what stands there for no serial number
_SERVICE = re.compile(r"(?P<instance>adb-\S{1,200})\._adb(?:-tls-connect)?\._tcp\.?", re.ASCII)


def ask_adb_server() -> Seen:
    """What `adb devices -l` would say. No server is started."""
    try:
        server = AdbServer.from_environment()
        connection = server.connect()
    except InputError as error:
        return Seen(problem=str(error))
    except OSError:
        return Seen(
            problem=f"none runs at {server}. Phones on USB need none; wireless debugging does: `adb start-server`."
        )
    try:
        with contextlib.closing(connection):
            connection.request("host:devices-l")
            return Seen(tuple(parse_listing(connection.receive_text())))
    except (LinkBrokenError, ServiceRefusedError, AdbProtocolError, TimeoutError):
        return Seen(
            problem=f"expected an adb server at {server}, got no answer that makes sense: restart it with `adb "
            "kill-server` and `adb start-server`, or correct ANDROID_ADB_SERVER_PORT."
        )


def parse_listing(text: str) -> list[Sighting]:
    """The phones of `adb devices -l`, those that are ready first."""
    matches = [(match, line) for line in text.splitlines()[:_MOST] if (match := _LISTED.match(line))]
    times = Counter(match["serial"] for match, _ in matches)
    sightings = [
        _sighting(match["serial"], match["state"], line[match.end() :], several=times[match["serial"]] > 1)
        for match, line in matches
    ]
    return sorted(sightings, key=lambda sighting: sighting.to_do is not None)


def _sighting(serial: str, state: str, rest: str, *, several: bool) -> Sighting:
    model = _MODEL.search(rest)
    shown = clean_text(serial) or _NO_SERIAL
    address = _address(serial)
    to_do = None
    if state != "device":
        to_do = str(in_other_state(shown, state))
    elif address is None:
        to_do = no_address(shown)
    elif several:
        to_do = str(same_serial(shown, shown))
    return Sighting(
        way=_WAY,
        address=address,
        keys=serial_keys(serial),
        # What is not a letter or a digit comes as an underscore.
        what=clean_text(model[1].replace("_", " ")) if model else None,
        name_hint=model[1] if model else _name_hint(serial),
        to_do=to_do,
    )


def no_address(serial: str) -> str:
    """What to do with a phone whose serial number cannot be written into an address; `serial` as it may be shown."""
    return (
        f"{serial or 'phone'}: expected a serial number of letters and digits, got {serial!r}: reach this phone over "
        "the network (adb tcpip 5555, then adb+tcp://HOST)."
    )


def _address(serial: str) -> str | None:
    if serial == _NO_SERIAL:
        return None
    place = _PLACE.fullmatch(serial)
    return (checked_address(f"adb+tcp://{serial}") if place else None) or checked_address(f"adb://{serial}")


def _name_hint(serial: str) -> str:
    service = _SERVICE.fullmatch(serial)
    instance = _INSTANCE.fullmatch(service["instance"]) if service else None
    return instance["serial"] if instance else serial


def serial_keys(serial: str) -> frozenset[str]:
    """The keys of a phone by what the adb server calls it: a serial number, host:port, or the name of a service."""
    if serial == _NO_SERIAL:
        return frozenset()
    if place := _PLACE.fullmatch(serial):
        return frozenset({f"serial:{serial}"}) | phone_keys(place["six"] or place["host"], int(place["port"]))
    service = _SERVICE.fullmatch(serial)
    return frozenset({f"serial:{serial}"}) | (instance_keys(service["instance"]) if service else frozenset())


def instance_keys(name: str) -> frozenset[str]:
    """The keys of a phone by the name under which it announces itself."""
    instance = _INSTANCE.fullmatch(name)
    if instance is None:
        return frozenset({f"instance:{name}"})
    if instance["serial"] == _UNIDENTIFIED:
        return frozenset()
    return frozenset({f"instance:{name}", f"serial:{instance['serial']}"})
