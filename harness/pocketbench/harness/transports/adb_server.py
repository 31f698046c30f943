"""Phones through the adb server of this computer, which owns the USB bus and speaks TLS with phones that want it.

A request is its length in four hexadecimal digits and its text; the answer is OKAY or FAIL with a reason. After
`host:transport:SERIAL` and the name of a service, the socket is the stream to it (AOSP packages/modules/adb,
OVERVIEW.TXT and SERVICES.TXT).
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
from dataclasses import dataclass
from weakref import WeakSet

from pocketbench.checked.errors import InputError
from pocketbench.harness.transports.adb_link import LinkBrokenError, ServiceRefusedError, StreamEndedError
from pocketbench.harness.transports.adb_protocol import AdbProtocolError

__all__ = ["AdbServer", "ListedPhone", "ServerLink"]

_CONNECT_TIMEOUT_S = 3.0
_ANSWER_TIMEOUT_S = 10.0
_READ_BYTES = 1 << 18
# Four hexadecimal digits.
_REQUEST_BYTES = 0xFFFF
# SERIAL, spaces, state, then a path or key:value pairs. A state may be of several words: "no permissions (…); see …".
_LISTED = re.compile(r"(?P<serial>\S{1,255})\s+(?P<state>no permissions|[a-z]{1,32})(?:\s|$)")
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class ListedPhone:
    """A line of `adb devices`; `state` is device, unauthorized, offline, no permissions, recovery, …"""

    serial: str
    state: str


@dataclass(frozen=True, slots=True)
class AdbServer:
    """A server at an address, which may or may not run."""

    host: str
    port: int

    @classmethod
    def from_environment(cls) -> AdbServer:
        """Where adb looks for its server; InputError where the variable of the port is no port."""
        port = os.environ.get("ANDROID_ADB_SERVER_PORT", "5037")
        if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
            raise InputError(f"expected a port from 1 to 65535 in ANDROID_ADB_SERVER_PORT, got {port!r}: correct it.")
        return cls(os.environ.get("ANDROID_ADB_SERVER_ADDRESS") or "127.0.0.1", int(port))

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def devices(self) -> list[ListedPhone] | None:
        """The phones that it knows; None where no server runs. LinkBrokenError, AdbProtocolError where it is none."""
        try:
            connection = self.connect()
        except OSError:
            return None
        with contextlib.closing(connection):
            connection.request("host:devices-l")
            matches = (_LISTED.match(line) for line in connection.receive_text().splitlines())
        return [ListedPhone(match["serial"], match["state"]) for match in matches if match]

    def connect(self) -> _Connection:
        """A new connection; OSError where nobody listens."""
        return _Connection(socket.create_connection((self.host, self.port), timeout=_CONNECT_TIMEOUT_S))


class ServerLink:
    """A phone that the server knows. See AdbLink."""

    # The server takes a stream in any pieces; this is what it reads at once (AOSP socket_spec and adb_io).
    write_bytes = 1 << 18
    name_bytes = _REQUEST_BYTES

    def __init__(self, server: AdbServer, serial: str) -> None:
        """Ask for what the phone can do; ServiceRefusedError with the server's words where it cannot be reached."""
        self.way = f"through the adb server at {server}"
        self._server = server
        self._serial = serial
        self._streams: WeakSet[_Connection] = WeakSet()
        self._lock = threading.Lock()
        self._closed = False
        names = self._ask(f"host-serial:{serial}:features").split(",")
        self.features = frozenset(name for name in names if _WORD.fullmatch(name))

    def open(self, service: bytes, timeout_s: float) -> _Connection:
        """See AdbLink."""
        connection = self._connect()
        try:
            connection.set_timeout(timeout_s)
            try:
                connection.request(f"host:transport:{self._serial}")
            except ServiceRefusedError as error:  # not found, offline, …: the next connection finds out
                raise LinkBrokenError(str(error)) from error
            connection.request(service)
            with self._lock:
                self._streams.add(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def is_broken(self) -> bool:
        """See AdbLink: each stream is a connection of its own, so only after close()."""
        return self._closed

    def answers(self) -> bool:
        """See AdbLink."""
        try:
            return self._ask(f"host-serial:{self._serial}:get-state") == "device"
        except (LinkBrokenError, ServiceRefusedError, AdbProtocolError, TimeoutError):
            return False

    def close(self) -> None:
        """See AdbLink."""
        with self._lock:
            self._closed = True
            streams = list(self._streams)
        for stream in streams:
            stream.close()

    def _ask(self, question: str) -> str:
        with contextlib.closing(self._connect()) as connection:
            connection.request(question)
            return connection.receive_text()

    def _connect(self) -> _Connection:
        try:
            return self._server.connect()
        except OSError as error:
            raise LinkBrokenError(f"the adb server at {self._server} is gone") from error


class _Connection:
    """A socket to the server, which becomes a stream to a service. See AdbStream."""

    def __init__(self, opened: socket.socket) -> None:
        self._in = opened
        self._in.settimeout(_ANSWER_TIMEOUT_S)
        self._in.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._out = opened.dup()  # writing has a time limit of its own
        self._writing = threading.Lock()
        self._left = False

    def set_timeout(self, timeout_s: float) -> None:
        """How long the answer to a request may take."""
        self._in.settimeout(max(timeout_s, 0.001))

    def request(self, text: str | bytes) -> None:
        """Send a request; ServiceRefusedError with the server's words where it says no."""
        data = text.encode() if isinstance(text, str) else text
        self.write(b"%04x" % len(data) + data, _ANSWER_TIMEOUT_S)
        answer = self._receive(4)
        if answer == b"FAIL":
            raise ServiceRefusedError(self.receive_text())
        if answer != b"OKAY":
            raise AdbProtocolError("an answer that no adb server gives")

    def receive_text(self) -> str:
        """A text that follows its length."""
        digits = self._receive(4)
        try:
            length = int(digits, 16)
        except ValueError:
            raise AdbProtocolError("an answer that no adb server gives") from None
        return self._receive(length).decode(errors="replace")

    def read(self, timeout_s: float) -> bytes:
        """See AdbStream."""
        if not self._left:
            self.set_timeout(timeout_s)
            data = self._receive_some(_READ_BYTES)
            if data or not self._left:
                return data
        raise LinkBrokenError("the connection was closed")

    def write(self, data: bytes, timeout_s: float) -> None:
        """See AdbStream."""
        with self._writing:
            if self._left:
                raise StreamEndedError
            self._out.settimeout(max(timeout_s, 0.001))
            try:
                self._out.sendall(data)
            except TimeoutError:
                raise
            except OSError as error:  # who ended it is for the reading side to find out
                raise StreamEndedError from error

    def close(self) -> None:
        """See AdbStream."""
        if self._left:
            return
        self._left = True
        with contextlib.suppress(OSError):  # the server was first
            self._in.shutdown(socket.SHUT_RDWR)  # wakes a writer, which has to let go before its handle is freed
        with self._writing:
            self._in.close()
            self._out.close()

    def _receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self._receive_some(size - len(data))
            if not piece:
                raise LinkBrokenError("the adb server ended the connection")
            data += piece
        return data

    def _receive_some(self, size: int) -> bytes:
        try:
            return self._in.recv(size)
        except TimeoutError:
            raise
        except OSError as error:
            raise LinkBrokenError("the connection was closed" if self._left else _words(error)) from error


def _words(error: OSError) -> str:
    return error.strerror or str(error)
