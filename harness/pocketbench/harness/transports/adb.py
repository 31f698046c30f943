"""From the address of a phone to a transport: through the adb server where one knows the phone, else directly.

The user does not choose. A server that runs owns the USB bus, and speaks TLS with phones whose wireless debugging wants
it; where none runs, none is started. The choice is made whenever a connection is made, and `way()` tells it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pocketbench.checked.errors import InputError
from pocketbench.harness.errors import TransportError
from pocketbench.harness.transports import adb_usb
from pocketbench.harness.transports.adb_direct import (
    DirectLink,
    NotTrustedError,
    OtherStateError,
    TlsOnlyError,
    WasSilentError,
)
from pocketbench.harness.transports.adb_errors import (
    connecting,
    connection_lost,
    in_other_state,
    not_found,
    same_serial,
    talking,
    tls_only,
    usb_unusable,
)
from pocketbench.harness.transports.adb_keys import load_keys
from pocketbench.harness.transports.adb_link import AdbLink, LinkBrokenError, ServiceRefusedError
from pocketbench.harness.transports.adb_protocol import AdbProtocolError
from pocketbench.harness.transports.adb_server import AdbServer, ListedPhone, ServerLink
from pocketbench.harness.transports.adb_transport import AdbTransport
from pocketbench.harness.transports.adb_wire import TcpWire, Wire

__all__ = ["ADB_PORT", "phone_by_network", "phone_by_serial"]

ADB_PORT = 5555
_CONNECT_TIMEOUT_S = 10.0

Say = Callable[[str], None]


def phone_by_serial(device: str, serial: str, *, say: Say, android_directory: Path | None = None) -> AdbTransport:
    """The phone that `adb devices` calls `serial`; `device` is its registered name, for messages.

    `say` is told what the user has to do on the phone while a connection waits for it. `android_directory` holds the
    key of adb; None for ~/.android.
    """
    return AdbTransport(
        device, f"adb://{serial}", lambda: _connect_by_serial(device, serial, say, _directory(android_directory))
    )


def phone_by_network(
    device: str, host: str, port: int | None, *, say: Say, android_directory: Path | None = None
) -> AdbTransport:
    """The phone whose adbd listens at `host`, on adb's usual port 5555 where `port` is None. See phone_by_serial."""
    place = _place(host, port or ADB_PORT)
    return AdbTransport(
        device,
        f"adb+tcp://{place}",
        lambda: _connect_by_network(device, host, port or ADB_PORT, say, _directory(android_directory)),
    )


def _connect_by_serial(device: str, serial: str, say: Say, android_directory: Path) -> AdbLink:
    server = AdbServer.from_environment()
    listed = _listed(device, server)
    if any(phone.serial == serial for phone in listed or ()):
        return _through(device, server, serial, listed or [])
    try:
        wire = adb_usb.claim(serial)
    except adb_usb.UsbNotFoundError as error:
        present = [f"{phone.serial} ({phone.state})" for phone in listed or ()]
        present += [f"{name} (USB)" for name in error.args[0]]
        raise not_found(device, serial, present, str(server) if listed is not None else None) from error
    except adb_usb.UsbMissingError as error:
        remedy = f"Install {error}, or start an adb server with `adb start-server`"
        raise usb_unusable(device, serial, "no way to the USB bus, and no adb server that knows it", remedy) from error
    except adb_usb.UsbBusyError as error:
        remedy = (
            "An adb server or another program holds it: end that with `adb kill-server`, or replug the phone, so that "
            "the server finds it and pocketbench goes through it"
        )
        raise usb_unusable(device, serial, "it is busy", remedy) from error
    except adb_usb.UsbDeniedError as error:
        raise in_other_state(device, "no permissions") from error
    except adb_usb.SameSerialError as error:
        raise same_serial(device, serial) from error
    except LinkBrokenError as error:
        remedy = "Replug the phone, or reach it through an adb server (`adb start-server`)"
        raise usb_unusable(device, serial, str(error), remedy) from error
    return _direct(device, wire, f"{serial} over USB", "directly over USB", say, android_directory)


def _connect_by_network(device: str, host: str, port: int, say: Say, android_directory: Path) -> AdbLink:
    place = _place(host, port)
    server = AdbServer.from_environment()
    listed = _listed(device, server)
    # One that the server lost may still answer us; of any other state the server knows best.
    if any(phone.serial == place and phone.state != "offline" for phone in listed or ()):
        return _through(device, server, place, listed or [])
    with connecting(device, place):
        wire = TcpWire(host, port, _CONNECT_TIMEOUT_S)
    return _direct(device, wire, place, "directly over TCP", say, android_directory)


def _listed(device: str, server: AdbServer) -> list[ListedPhone] | None:
    try:
        return server.devices()
    except (LinkBrokenError, ServiceRefusedError, AdbProtocolError, TimeoutError) as error:
        raise TransportError(
            f"{device}: expected an adb server at {server}, got no answer that makes sense: restart it with `adb "
            "kill-server` and `adb start-server`, or correct ANDROID_ADB_SERVER_PORT."
        ) from error


def _through(device: str, server: AdbServer, serial: str, listed: list[ListedPhone]) -> AdbLink:
    states = [phone.state for phone in listed if phone.serial == serial]
    if len(states) > 1:
        raise same_serial(device, serial)
    if states != ["device"]:
        raise in_other_state(device, states[0])
    try:
        with talking(device, "a conversation"):
            return ServerLink(server, serial)
    except (LinkBrokenError, TimeoutError) as error:
        raise connection_lost(device, "connecting", str(error)) from error


def _direct(device: str, wire: Wire, place: str, way: str, say: Say, android_directory: Path) -> AdbLink:
    def on_dialog() -> None:
        say(f"{device}: accept the dialog 'Allow USB debugging?' on the phone's screen.")

    try:
        keys = load_keys(android_directory)
    except InputError:
        wire.close()
        raise
    with connecting(device, place):
        try:
            return DirectLink(wire, keys, way=way, on_dialog=on_dialog)
        except NotTrustedError as error:
            raise in_other_state(device, "unauthorized") from error
        except WasSilentError as error:
            raise in_other_state(device, "offline") from error
        except OtherStateError as error:
            raise in_other_state(device, str(error)) from error
        except TlsOnlyError as error:
            raise tls_only(device, place) from error


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _directory(given: Path | None) -> Path:
    return given if given is not None else Path("~/.android").expanduser()
