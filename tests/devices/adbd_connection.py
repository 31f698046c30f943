"""One host that is connected to the emulated adbd: messages, trust, and streams side by side.

It follows AOSP packages/modules/adb: protocol.txt, adb.cpp, sockets.cpp, daemon/auth.cpp.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from typing import TYPE_CHECKING

from tests.devices.adbd_auth import PublicKey, is_signed_by, parse_public_key
from tests.devices.adbd_services import HostLeftError, serve

if TYPE_CHECKING:
    from tests.devices.adbd import Adbd

__all__ = ["VERSION", "Connection"]

_HEADER = struct.Struct("<4sIII4s4s")
# Since Android 9, without checksums; and before.
VERSION, _OLD_VERSION = 0x01000001, 0x01000000
_TOKEN, _SIGNATURE, _PUBLIC_KEY = 1, 2, 3


class Connection:
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
            self._adbd.forget(self)
            self._socket.close()

    def drop(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        for stream in list(self._streams.values()):
            stream.host_left()

    def send(self, command: bytes, arg0: int, arg1: int, data: bytes = b"") -> None:
        """Send a message; OSError where the connection is gone."""
        self._adbd.speaking.wait()
        checksum = sum(data) & 0xFFFFFFFF if self._with_checksum else 0
        magic = bytes(byte ^ 0xFF for byte in command)
        header = _HEADER.pack(command, arg0, arg1, len(data), struct.pack("<I", checksum), magic)
        with self._sending:
            if not self._adbd.let_message_through():
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
        if not self._adbd.let_message_through():
            raise EOFError
        if self._with_checksum and command != b"CNXN" and int.from_bytes(checksum, "little") != sum(data) & 0xFFFFFFFF:
            raise EOFError  # adbd hangs up too
        return command, arg0, arg1, data

    def _receive_bytes(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            self._adbd.speaking.wait()
            piece = self._socket.recv(min(size - len(data), self._adbd.bytes_left()))
            if not piece or not self._adbd.let_bytes_through(len(piece)):
                raise EOFError
            data += piece
        return data

    def _handle(self, command: bytes, arg0: int, arg1: int, data: bytes) -> None:
        adbd = self._adbd
        if command == b"CNXN" and adbd.answering:
            self._payload_bytes = min(arg1, adbd.payload_bytes)
            self._with_checksum = min(arg0, adbd.version) < VERSION
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
            adbd.show_dialog(self.offered)

    def _handle_stream(self, command: bytes, arg0: int, arg1: int, data: bytes) -> None:
        if command == b"OPEN":
            stream = _Stream(self, self._next_id, arg0, self._payload_bytes)
            self._next_id += 1
            self._streams[stream.local_id] = stream
            name = data.rstrip(b"\0").decode(errors="surrogateescape")
            self._adbd.spawn(self._serve, stream, name)
        elif (known := self._streams.get(arg1)) is not None:
            if command == b"CLSE":
                known.host_left()
            elif command in (b"WRTE", b"OKAY"):
                known.deliver(command, data)

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

    def __init__(self, connection: Connection, local_id: int, remote_id: int, payload_bytes: int) -> None:
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
