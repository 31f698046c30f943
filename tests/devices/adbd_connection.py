"""One host that is connected to the emulated adbd: messages, trust, and streams side by side.

It follows AOSP packages/modules/adb: protocol.txt, docs/dev/delayed_ack.md, adb.cpp, sockets.cpp, daemon/auth.cpp.
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
# With delayed_ack: what this side takes unacknowledged (adb.h, INITIAL_DELAYED_ACK_BYTES), and how a count is written.
_WINDOW_BYTES = 32 << 20
_COUNT = struct.Struct("<i")


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
        self._delays_acks = False
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
        data = bytearray(size)
        left = memoryview(data)
        while left:
            self._adbd.speaking.wait()
            count = self._socket.recv_into(left, min(len(left), self._adbd.bytes_left()))
            if not count or not self._adbd.let_bytes_through(count):
                raise EOFError
            left = left[count:]
        return bytes(data)

    def _handle(self, command: bytes, arg0: int, arg1: int, data: bytes) -> None:
        adbd = self._adbd
        if command == b"CNXN" and adbd.answering:
            self._payload_bytes = min(arg1, adbd.payload_bytes)
            self._with_checksum = min(arg0, adbd.version) < VERSION
            names = data.decode(errors="replace").rpartition("features=")[2].split(",")
            self._delays_acks = "delayed_ack" in names and "delayed_ack" in adbd.features
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
        if command == b"OPEN" and self._delays_acks != bool(arg1):
            self.send(b"CLSE", 0, arg0)
        elif command == b"OPEN":
            stream = _Stream(self, self._next_id, arg0, self._payload_bytes, arg1)
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
    """A stream to a service. Each side sends on when its last message was acknowledged, or, where `window_bytes` is
    not 0, when the other side has not yet so many bytes to acknowledge."""

    def __init__(
        self, connection: Connection, local_id: int, remote_id: int, payload_bytes: int, window_bytes: int
    ) -> None:
        self.local_id, self.remote_id = local_id, remote_id
        self._delays_acks = window_bytes > 0
        self._room = window_bytes or 1
        self._granted_bytes = 0
        self._connection = connection
        self._payload_bytes = payload_bytes
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._arrived: list[bytes] = []
        self._left = False

    def open(self) -> None:
        """Tell the host that the service is there."""
        self._acknowledge(_WINDOW_BYTES)

    def read(self) -> bytes:
        """What the host wrote, also where it has left since (sockets.cpp, local_socket_close); then b""."""
        with self._changed:
            self._changed.wait_for(lambda: self._arrived or self._left)
            if not self._arrived:
                return b""
            data = self._arrived.pop(0)
            left = self._left
        if not left:
            self._acknowledge(len(data))
        return data

    def _acknowledge(self, count: int) -> None:
        with self._changed:
            self._granted_bytes += count
        self._connection.send(b"OKAY", self.local_id, self.remote_id, _COUNT.pack(count) if self._delays_acks else b"")

    def write(self, data: bytes) -> None:
        """Send all of it; HostLeftError."""
        with self._writing:
            for start in range(0, len(data), self._payload_bytes):
                piece = data[start : start + self._payload_bytes]
                with self._changed:
                    self._changed.wait_for(lambda: self._room > 0 or self._left)
                    if self._left:
                        raise HostLeftError
                    self._room -= len(piece) if self._delays_acks else 1
                self._connection.send(b"WRTE", self.local_id, self.remote_id, piece)

    def deliver(self, command: bytes, data: bytes) -> None:
        """Take up a message."""
        with self._changed:
            if command == b"WRTE":
                assert not self._delays_acks or self._granted_bytes > 0, "the host sends more than it was allowed to"
                self._granted_bytes -= len(data)
                self._arrived.append(data)
            else:
                assert len(data) == (_COUNT.size if self._delays_acks else 0), "an acknowledgement of the other kind"
                self._room = self._room + _COUNT.unpack(data)[0] if self._delays_acks else 1
            self._changed.notify_all()

    def host_left(self) -> None:
        """The host closed it, or is gone."""
        with self._changed:
            self._left = True
            self._changed.notify_all()
