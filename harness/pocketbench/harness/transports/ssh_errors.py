"""The one door through which errors of sockets and of paramiko become ours, with a sentence that says what to do."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from pocketbench.harness.errors import TransportError

__all__ = ["clean_line", "connecting", "connection_lost", "opening_channel"]

_LINE_CHARACTERS = 300
_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL}
# RFC 4254, 5.1: the reason of a server that is out of memory or processes.
_RESOURCE_SHORTAGE = 4
# Transport._check_banner of paramiko, followed by what the socket said.
_NO_GREETING = "Error reading SSH protocol banner"


def clean_line(data: bytes | str) -> str:
    """What a device said, on one line of printable characters, shortened."""
    text = data.decode(errors="replace") if isinstance(data, bytes) else data
    text = text[: 4 * _LINE_CHARACTERS]
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_LINE_CHARACTERS]


@contextmanager
def connecting(device: str, place: str) -> Iterator[None]:
    """Translate what happens until the connection to `place` (user@host:port) stands."""
    try:
        yield
    except socket.gaierror as error:
        got, remedy = (
            f"no such host name ({error.strerror})",
            "check the spelling, or write its IP address; names ending in .local need the same network",
        )
        raise _failed(device, place, got, remedy) from error
    except ConnectionRefusedError as error:
        got, remedy = "connection refused", "start the SSH server there (sudo systemctl start ssh), or mend the port"
        raise _failed(device, place, got, remedy) from error
    except TimeoutError as error:
        got, remedy = "no answer in time", "is it switched on, and in the same network? A firewall may be in between"
        raise _failed(device, place, got, remedy) from error
    except IncompatiblePeer as error:
        remedy = "bring the SSH server there up to date; what it offers has been given up as unsafe"
        raise _failed(device, place, f"no common algorithm ({clean_line(str(error))})", remedy) from error
    except (paramiko.SSHException, EOFError) as error:
        said = clean_line(str(error)) or "the end of the connection"
        got = "no greeting of an SSH server" if said.startswith(_NO_GREETING) else said
        remedy = (
            "is it an SSH server at that port? One that is overloaded or has banned this computer hangs up too; "
            "its log says why (journalctl -u ssh)"
        )
        raise _failed(device, place, got, remedy) from error
    except OSError as error:
        if error.errno in _UNREACHABLE:
            got, remedy = (
                f"no way there ({error.strerror})",
                "is it switched on, and are both in the same network?",
            )
        else:
            got, remedy = error.strerror or str(error), "try again once the network works"
        raise _failed(device, place, got, remedy) from error


@contextmanager
def opening_channel(device: str, what: str, remedy: str) -> Iterator[None]:
    """Translate the refusal of a channel for `what` on a connection that stands; `remedy` is for the usual reason."""
    try:
        yield
    except paramiko.ChannelException as error:
        reason = clean_line(error.text) or f"reason {error.code}"
        if error.code == _RESOURCE_SHORTAGE:
            remedy = "the server is out of memory or processes: stop something there, or restart it"
        raise TransportError(f"{device}: expected {what}, got a refusal ({reason}): {remedy}.") from error


def connection_lost(device: str, doing: str, reason: str | None) -> TransportError:
    """The connection broke while `doing`; `reason` is what is known of it."""
    why = f" ({clean_line(reason)})" if reason else ""
    return TransportError(
        f"{device}: expected the connection to last while {doing}, it was lost{why}: is the device still switched on "
        "and in the network? The next command connects again."
    )


def _failed(device: str, place: str, got: str, remedy: str) -> TransportError:
    return TransportError(
        f"{device}: expected to connect to {place} by SSH, got: {got}. {remedy[0].upper()}{remedy[1:]}."
    )
