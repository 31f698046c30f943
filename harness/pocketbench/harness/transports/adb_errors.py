"""The one door through which what goes wrong with a phone becomes ours, with a sentence that says what to do where."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pocketbench.harness.errors import TransportError
from pocketbench.harness.transports.adb_link import LinkBrokenError, ServiceRefusedError
from pocketbench.harness.transports.adb_protocol import AdbProtocolError
from pocketbench.harness.transports.ssh_errors import clean_line

__all__ = [
    "connecting",
    "connection_lost",
    "in_other_state",
    "not_found",
    "same_serial",
    "talking",
    "tls_only",
    "usb_unusable",
]

_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL}

# What `adb devices` says of a phone that cannot be used, with what it means and what helps.
_STATES = {
    "unauthorized": (
        "it does not trust this computer yet",
        "Unlock the phone and accept the dialog 'Allow USB debugging?' on its screen, with 'Always allow from this "
        "computer', then try again. If no dialog comes: Developer options, Revoke USB debugging authorizations, and "
        "connect anew",
    ),
    "authorizing": ("it is asking its user", "Accept the dialog on the phone's screen, then try again"),
    "offline": (
        "it is offline, which is connected without an answer",
        "Switch USB debugging off and on in the phone's Developer options, or replug it, or restart it; `adb "
        "reconnect offline` asks again",
    ),
    "no permissions": (
        "this user may not open it on the USB bus",
        "Install the udev rules for Android (Debian and Ubuntu: `sudo apt-get install "
        "android-sdk-platform-tools-common`), join the group plugdev, log in anew, and replug the phone",
    ),
    "recovery": ("it runs its recovery", "Choose 'Reboot system now' on its screen"),
    "rescue": ("it runs its recovery", "Choose 'Reboot system now' on its screen"),
    "sideload": ("it waits for an update", "Choose 'Reboot system now' on its screen"),
    "bootloader": ("it runs its bootloader", "Choose Start on its screen, or run `fastboot reboot`"),
}


def in_other_state(device: str, state: str) -> TransportError:
    """The phone is there, but in `state` (a word of `adb devices`), not ready."""
    meaning, remedy = _STATES.get(
        state, (f"its state is {clean_line(state)!r}", "Wait until it has started, or restart it")
    )
    return TransportError(f"{device}: expected a phone that is ready, got: {meaning}. {remedy}.")


def tls_only(device: str, place: str) -> TransportError:
    """The phone wants TLS, which only adb itself speaks."""
    return TransportError(
        f"{device}: expected plain ADB at {place}, got the wireless debugging of Android 11, which wants TLS: pair "
        "once with `adb pair HOST:PORT` (Developer options, Wireless debugging, Pair device with pairing code), then "
        f"`adb connect {place}`, and pocketbench goes through the adb server. Or, with a cable: `adb tcpip 5555`."
    )


def not_found(device: str, serial: str, present: Sequence[str], server: str | None) -> TransportError:
    """No phone with `serial`; `present` are there, `server` is the address of an adb server that runs."""
    there = ", ".join(clean_line(name) for name in present) or "none"
    looked = f"the adb server at {server} and the USB bus" if server else "the USB bus (no adb server runs)"
    hint = (
        f"If it is a phone in the network, its address is adb+tcp://{serial}"
        if ":" in serial
        else "Use a cable that carries data, unlock the phone, and switch USB debugging on in its Developer options"
    )
    return TransportError(f"{device}: expected the phone {serial} on {looked}, got: {there}. {hint}.")


def same_serial(device: str, serial: str) -> TransportError:
    """Several phones say that they are `serial`."""
    return TransportError(
        f"{device}: expected one phone with the serial {serial}, got several, as some makers give all the same one: "
        "unplug the others, or reach each by its place in the network (adb tcpip 5555, then adb+tcp://HOST)."
    )


def usb_unusable(device: str, serial: str, problem: str, remedy: str) -> TransportError:
    """The phone is to be reached over USB, and `problem` is in the way."""
    return TransportError(f"{device}: expected to open the phone {serial} over USB, got: {problem}. {remedy}.")


def connection_lost(device: str, doing: str, reason: str) -> TransportError:
    """The connection broke while `doing`."""
    why = f" ({clean_line(reason)})" if reason else ""
    return TransportError(
        f"{device}: expected the connection to last while {doing}, it was lost{why}: is the phone still plugged in, "
        "switched on, and in the network? The next command connects again."
    )


@contextmanager
def connecting(device: str, place: str) -> Iterator[None]:
    """Translate what happens until the connection to `place` (host:port) stands."""
    try:
        yield
    except socket.gaierror as error:
        got = f"no such host name ({error.strerror})"
        raise _failed(device, place, got, "Check the spelling, or write its IP address") from error
    except ConnectionRefusedError as error:
        raise _failed(
            device,
            place,
            "connection refused",
            "Is ADB over the network on there? With a cable, `adb tcpip 5555` switches it on until the phone restarts; "
            "the ports of Android 11's wireless debugging change, and its screen shows the one of now",
        ) from error
    except TimeoutError as error:
        raise _failed(
            device, place, "no answer in time", "Is the phone switched on, awake, and in the same network?"
        ) from error
    except (LinkBrokenError, ConnectionError) as error:
        raise _failed(
            device, place, f"the end of the connection ({_words(error)})", "Is it the adbd of a phone there?"
        ) from error
    except AdbProtocolError as error:
        raise _failed(device, place, str(error), "Is it the adbd of a phone there?") from error
    except OSError as error:
        unreachable = error.errno in _UNREACHABLE
        remedy = "Is it switched on, and are both in the same network?" if unreachable else "Try again"
        raise _failed(device, place, _words(error), remedy) from error


@contextmanager
def talking(device: str, doing: str) -> Iterator[None]:
    """Translate what happens on a connection that stands, other than its end and the end of the time."""
    try:
        yield
    except ServiceRefusedError as error:
        words = clean_line(str(error)) or "a refusal"
        raise TransportError(
            f"{device}: expected the phone to start {doing}, got: {words}. Android 5 or newer is needed; restart the "
            "phone if it did so before."
        ) from error
    except AdbProtocolError as error:
        raise TransportError(
            f"{device}: expected the protocol of ADB while {doing}, got {error}: unplug the phone and plug it in again."
        ) from error


def _failed(device: str, place: str, got: str, remedy: str) -> TransportError:
    end = "" if remedy.endswith("?") else "."
    return TransportError(f"{device}: expected to connect to {place} by ADB, got: {got}. {remedy}{end}")


def _words(error: Exception) -> str:
    return clean_line(getattr(error, "strerror", None) or str(error))
