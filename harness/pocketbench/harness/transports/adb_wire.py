"""Messages of ADB over a socket: 24 bytes of header, then the payload (AOSP packages/modules/adb, protocol.txt)."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import NamedTuple, Protocol

from adb_shell import constants

from pocketbench.harness.transports.adb_link import LinkBrokenError
from pocketbench.harness.transports.adb_protocol import AdbProtocolError

__all__ = ["MAX_PAYLOAD_BYTES", "VERSION", "Message", "TcpWire", "Wire", "pack_header", "receive_message"]

_HEADER = struct.Struct(constants.MESSAGE_FORMAT.decode())
# The first version without checksums (Android 9); older devices answer with 0x01000000 and want them.
VERSION = 0x01000001
MAX_PAYLOAD_BYTES = constants.MAX_ADB_DATA

# A phone that walks out of the WLAN sends nothing: the kernel asks for a sign of life after 4 s of silence, three
# times, so that a silent cut is noticed within 15 s. A phone whose adbd hangs still answers these.
_KEEPALIVE_IDLE_S, _KEEPALIVE_INTERVAL_S, _KEEPALIVE_COUNT = 4, 3, 3
_USER_TIMEOUT_MS = 13_000
_SEND_TIMEOUT_S = 30.0
_FOREVER_S = 1e6
_JOIN_BYTES = 1 << 16  # one small copy is cheaper than a second packet


class Message(NamedTuple):
    """One message; `command` is one of adb_shell.constants.IDS or STLS."""

    command: bytes
    arg0: int
    arg1: int
    data: bytes


class Wire(Protocol):
    """Carries bytes to a device and back. One thread receives, others send, one at a time."""

    def send(self, header: bytes, payload: bytes) -> None:
        """Send both; OSError or LinkBrokenError where that fails."""
        ...

    def receive(self, size: int) -> bytes:
        """Exactly `size` bytes; OSError (TimeoutError among them) or LinkBrokenError where that fails."""
        ...

    def set_timeout(self, timeout_s: float | None) -> None:
        """How long `receive` waits for anything to come; None for as long as the wire holds."""
        ...

    def interrupt(self) -> None:
        """Make whoever sends or receives fail now; harmless a second time."""
        ...

    def close(self) -> None:
        """Free it, once nobody uses it any more; harmless a second time."""
        ...


class TcpWire:
    """A socket to the adbd of a phone."""

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        """Connect; OSError where that fails."""
        self._in = socket.create_connection((host, port), timeout=timeout_s)
        # Requests and answers are small: waiting to fill a packet (Nagle) costs some 40 ms for each command.
        self._in.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._in.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (
            ("TCP_KEEPIDLE", _KEEPALIVE_IDLE_S),
            ("TCP_KEEPINTVL", _KEEPALIVE_INTERVAL_S),
            ("TCP_KEEPCNT", _KEEPALIVE_COUNT),
            ("TCP_USER_TIMEOUT", _USER_TIMEOUT_MS),
        ):
            if hasattr(socket, option):  # not every system has all of them
                self._in.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        # A second handle on the same socket, so that sending has a time limit of its own.
        self._out = self._in.dup()
        self._out.settimeout(_SEND_TIMEOUT_S)

    def send(self, header: bytes, payload: bytes) -> None:
        """See Wire."""
        if len(payload) < _JOIN_BYTES:
            self._out.sendall(header + payload)
        else:
            self._out.sendall(header)
            self._out.sendall(payload)

    def receive(self, size: int) -> bytes:
        """See Wire."""
        data = bytearray(size)
        view = memoryview(data)
        while view:
            got = self._in.recv_into(view)
            if got == 0:
                raise LinkBrokenError("the device ended the connection")
            view = view[got:]
        return bytes(data)

    def set_timeout(self, timeout_s: float | None) -> None:
        """See Wire."""
        self._in.settimeout(_FOREVER_S if timeout_s is None else timeout_s)

    def interrupt(self) -> None:
        """See Wire."""
        with contextlib.suppress(OSError):  # the other end was first
            self._in.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """See Wire."""
        self.interrupt()
        self._in.close()
        self._out.close()


_STLS = int.from_bytes(b"STLS", "little")  # Android 11: the device wants TLS; adb_shell does not know it
_COMMANDS = {**constants.WIRE_TO_ID, _STLS: b"STLS"}


def pack_header(message: Message, *, with_checksum: bool) -> bytes:
    """The header of `message`."""
    command = int.from_bytes(message.command, "little")
    checksum = sum(message.data) & 0xFFFFFFFF if with_checksum else 0
    return _HEADER.pack(command, message.arg0, message.arg1, len(message.data), checksum, command ^ 0xFFFFFFFF)


def receive_message(wire: Wire) -> Message:
    """The next message; AdbProtocolError where it is none, and what `wire` raises."""
    number, arg0, arg1, length, _, magic = _HEADER.unpack(wire.receive(_HEADER.size))
    command = _COMMANDS.get(number)
    if command is None or number ^ magic != 0xFFFFFFFF:
        raise AdbProtocolError("what is no message of ADB")
    if length > MAX_PAYLOAD_BYTES:
        raise AdbProtocolError(f"a message of {length} bytes")
    # The checksum is a sum of bytes that misses most errors, and newer devices leave it out: TCP and USB have theirs.
    return Message(command, arg0, arg1, wire.receive(length) if length else b"")
