"""The device side of ADB over TCP, emulated: messages, trust, streams, and the faults that a test may order.

It follows AOSP packages/modules/adb (protocol.txt, adb.cpp, daemon/). What the services do is in adbd_services.py. It
is itself tried with Google's adb in test_phone.py.

    with Adbd(machine) as adbd:
        adbd.host, adbd.port
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Sequence
from typing import Self

from tests.devices.adbd_auth import PublicKey, is_signed_by, parse_public_key
from tests.devices.adbd_services import HostLeftError, Machine, serve

__all__ = ["FEATURES", "OLD_FEATURES", "Adbd"]

FEATURES = ("shell_v2", "cmd", "stat_v2", "ls_v2", "fixed_push_mkdir")
# Android 5 and 6 say none.
OLD_FEATURES = ()

_HEADER = struct.Struct("<4sIII4sI")
_VERSION, _OLD_VERSION = 0x01000001, 0x01000000
_TOKEN, _SIGNATURE, _PUBLIC_KEY = 1, 2, 3
_NOT_LIMITED = 1 << 62


class Adbd:
    """Listens at `port` of loopback. Everything about trust and faults may be changed while it runs.

    `trusts_all` asks for no key. Else `trusted` are keys of the past, and the user taps on the dialog by `accept`, or
    by himself when a key is offered for the `accept_on_try`-th time (0: never). `version` below 0x01000001
    wants checksums, and `payload_bytes` is the longest message, 4096 before Android 7. `state` is what it says it is.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        machine: Machine,
        *,
        features: Sequence[str] = FEATURES,
        version: int = _VERSION,
        payload_bytes: int = 1 << 20,
        state: str = "device",
        trusts_all: bool = True,
        accept_on_try: int = 0,
        tls_only: bool = False,
        terminal_in_between: bool = False,
    ) -> None:
        self.machine = machine
        self.features = features
        self.version, self.payload_bytes, self.state = version, payload_bytes, state
        self.trusts_all, self.accept_on_try, self.tls_only = trusts_all, accept_on_try, tls_only
        self.terminal_in_between = terminal_in_between
        """Whether `exec:` turns each end of line into CR LF, as `shell:` without protocol v2 always does."""
        self.trusted: list[PublicKey] = []
        self.offered: list[PublicKey] = []
        """Keys that the dialog was shown for."""
        self.messages = 0
        """Messages in either direction since it was started."""
        self.received_bytes = 0
        self.port = 0
        self._lock = threading.RLock()
        self._speaking = threading.Event()
        self._speaking.set()
        self._answering = True
        self._last_message = self._last_byte = _NOT_LIMITED
        self._listener: socket.socket | None = None
        self._connections: set[_Connection] = set()
        self._threads: list[threading.Thread] = []

    def plug(self) -> None:
        """Listen, at the same port as before."""
        self._listener = socket.create_server((self.host, self.port))
        self.port = self._listener.getsockname()[1]
        self._spawn(self._accept_all, self._listener)

    def unplug(self) -> None:
        """End every connection and listen no more: new ones are refused."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
            self._listener.close()
            self._listener = None
        self.drop()

    def drop(self) -> None:
        """End every connection; new ones are taken."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.drop()

    def cut_at_message(self, number: int) -> None:
        """End the connection instead of the `number`-th message from now, in either direction; once."""
        with self._lock:
            self._last_message = self.messages + number

    def cut_at_byte(self, number: int) -> None:
        """End the connection when `number` more bytes have come from the host; once."""
        with self._lock:
            self._last_byte = self.received_bytes + number

    def silence(self) -> None:
        """Neither read nor send any more, with all connections standing."""
        self._speaking.clear()

    def speak(self) -> None:
        """Go on after silence()."""
        self._speaking.set()

    def go_offline(self) -> None:
        """End every connection; answer no greeting any more."""
        self._answering = False
        self.drop()

    def go_online(self) -> None:
        """Answer greetings again; hosts that still wait for one have to ask anew."""
        self._answering = True
        self.drop()

    def accept(self) -> None:
        """The user taps on the dialog: hosts that wait are let in."""
        with self._lock:
            self.trusted += self.offered
            waiting = [connection for connection in self._connections if connection.offered is not None]
        for connection in waiting:
            connection.greet()

    def __enter__(self) -> Self:
        self.plug()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.speak()
        self.unplug()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive(), f"{thread} does not end"

    def _spawn(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        with self._lock:
            self._threads = [old for old in self._threads if old.is_alive()]
            thread.start()
            self._threads.append(thread)

    def _accept_all(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # closed by unplug()
            while True:
                opened, _ = listener.accept()
                opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection = _Connection(self, opened)
                with self._lock:
                    self._connections.add(connection)
                self._spawn(connection.run)

    def _count_message(self) -> bool:
        """Whether this message still gets through."""
        with self._lock:
            self.messages += 1
            through = self.messages < self._last_message
            if not through:
                self._last_message = _NOT_LIMITED
            return through

    def _bytes_left(self) -> int:
        with self._lock:
            return self._last_byte - self.received_bytes

    def _count_bytes(self, number: int) -> bool:
        """Whether the connection lasts after these."""
        with self._lock:
            self.received_bytes += number
            lasts = self.received_bytes < self._last_byte
            if not lasts:
                self._last_byte = _NOT_LIMITED
            return lasts


class _Connection:
    """One host."""

    def __init__(self, adbd: Adbd, opened: socket.socket) -> None:
        self._adbd = adbd
        self._socket = opened
        self._sending = threading.Lock()
        self._streams: dict[int, _Stream] = {}
        self._next_id = 1
        self._payload_bytes = 4096
        self._with_checksum = True
        self._token = os.urandom(20)
        self._online = False
        self.offered: PublicKey | None = None

    def run(self) -> None:
        """Serve it until it ends."""
        try:
            while True:
                command, arg0, arg1, data = self._receive()
                self._handle(command, arg0, arg1, data)
        except (OSError, EOFError, struct.error):
            pass
        finally:
            self.drop()
            with self._adbd._lock:
                self._adbd._connections.discard(self)
            self._socket.close()

    def drop(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        for stream in list(self._streams.values()):
            stream.host_left()

    def send(self, command: bytes, arg0: int, arg1: int, data: bytes = b"") -> None:
        """Send a message; OSError where the connection is gone."""
        self._adbd._speaking.wait()
        checksum = sum(data) & 0xFFFFFFFF if self._with_checksum else 0
        magic = bytes(byte ^ 0xFF for byte in command)
        header = _HEADER.pack(command, arg0, arg1, len(data), struct.pack("<I", checksum), 0)[:20] + magic
        with self._sending:
            if not self._adbd._count_message():
                self.drop()
            self._socket.sendall(header + data)

    def greet(self) -> None:
        """Tell the host that it is let in."""
        adbd = self._adbd
        self._online, self.offered = True, None
        properties = "ro.product.name=emulated;ro.product.model=Emulated Phone;ro.product.device=emulated"
        features = f";features={','.join(adbd.features)}" if adbd.features else ""
        self.send(b"CNXN", adbd.version, adbd.payload_bytes, f"{adbd.state}::{properties}{features}".encode())

    def _receive(self) -> tuple[bytes, int, int, bytes]:
        command, arg0, arg1, length, checksum, _ = _HEADER.unpack(self._receive_bytes(_HEADER.size))
        data = self._receive_bytes(length)
        if not self._adbd._count_message():
            raise EOFError
        if self._with_checksum and command != b"CNXN" and int.from_bytes(checksum, "little") != sum(data) & 0xFFFFFFFF:
            raise EOFError  # adbd hangs up too
        return command, arg0, arg1, data

    def _receive_bytes(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            self._adbd._speaking.wait()
            piece = self._socket.recv(min(size - len(data), self._adbd._bytes_left()))
            if not piece or not self._adbd._count_bytes(len(piece)):
                raise EOFError
            data += piece
        return data

    def _handle(self, command: bytes, arg0: int, arg1: int, data: bytes) -> None:
        adbd = self._adbd
        if command == b"CNXN" and adbd._answering:
            self._payload_bytes = min(arg1, adbd.payload_bytes)
            self._with_checksum = min(arg0, adbd.version) < _VERSION
            if adbd.tls_only:
                self.send(b"STLS", _OLD_VERSION, 0)
            elif adbd.trusts_all:
                self.greet()
            else:
                self.send(b"AUTH", _TOKEN, 0, self._token)
        elif command == b"AUTH":
            self._check_trust(arg0, data)
        elif self._online:
            self._handle_stream(command, arg0, arg1, data)

    def _check_trust(self, kind: int, data: bytes) -> None:
        adbd = self._adbd
        if kind == _SIGNATURE:
            if any(is_signed_by(key, self._token, data) for key in adbd.trusted):
                self.greet()
            else:
                self._token = os.urandom(20)
                self.send(b"AUTH", _TOKEN, 0, self._token)
        elif kind == _PUBLIC_KEY:
            self.offered = parse_public_key(data)
            with adbd._lock:
                adbd.offered.append(self.offered)
                accepted = len(adbd.offered) == adbd.accept_on_try
            if accepted:
                adbd.accept()

    def _handle_stream(self, command: bytes, arg0: int, arg1: int, data: bytes) -> None:
        if command == b"OPEN":
            stream = _Stream(self, self._next_id, arg0, self._payload_bytes)
            self._next_id += 1
            self._streams[stream.local_id] = stream
            name = data.rstrip(b"\0").decode(errors="surrogateescape")
            self._adbd._spawn(self._serve, stream, name)
        elif (stream_of := self._streams.get(arg1)) is not None:
            if command == b"CLSE":
                stream_of.host_left()
            elif command in (b"WRTE", b"OKAY"):
                stream_of.deliver(command, data)

    def _serve(self, stream: _Stream, name: str) -> None:
        with contextlib.suppress(OSError, HostLeftError, EOFError):
            accepted = serve(name, stream, self._adbd.machine, self._adbd.features, self._adbd.terminal_in_between)
            if not accepted:
                self._streams.pop(stream.local_id, None)
                self.send(b"CLSE", 0, stream.remote_id)
                return
        self._streams.pop(stream.local_id, None)
        with contextlib.suppress(OSError):
            self.send(b"CLSE", stream.local_id, stream.remote_id)


class _Stream:
    """A stream to a service. Each side sends on when its last message was acknowledged."""

    def __init__(self, connection: _Connection, local_id: int, remote_id: int, payload_bytes: int) -> None:
        self.local_id, self.remote_id = local_id, remote_id
        self._connection = connection
        self._payload_bytes = payload_bytes
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._arrived: list[bytes] = []
        self._acknowledged = True
        self._left = False

    def open(self) -> None:
        """Tell the host that the service is there."""
        self._connection.send(b"OKAY", self.local_id, self.remote_id)

    def read(self) -> bytes:
        """What the host wrote; b"" when it has left."""
        with self._changed:
            self._changed.wait_for(lambda: self._arrived or self._left)
            if not self._arrived:
                return b""
            data = self._arrived.pop(0)
        self._connection.send(b"OKAY", self.local_id, self.remote_id)
        return data

    def write(self, data: bytes) -> None:
        """Send all of it; HostLeftError."""
        with self._writing:
            for start in range(0, len(data), self._payload_bytes):
                with self._changed:
                    self._changed.wait_for(lambda: self._acknowledged or self._left)
                    if self._left:
                        raise HostLeftError
                    self._acknowledged = False
                self._connection.send(b"WRTE", self.local_id, self.remote_id, data[start : start + self._payload_bytes])

    def deliver(self, command: bytes, data: bytes) -> None:
        """Take up a message."""
        with self._changed:
            if command == b"WRTE":
                self._arrived.append(data)
            else:
                self._acknowledged = True
            self._changed.notify_all()

    def host_left(self) -> None:
        """The host closed it, or is gone."""
        with self._changed:
            self._left = True
            self._changed.notify_all()
