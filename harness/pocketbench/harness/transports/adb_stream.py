"""One of the streams that share a connection to a phone.

On older phones a side sends its next message once the last was acknowledged. With the feature `delayed_ack` (Android
14; AOSP packages/modules/adb, docs/dev/delayed_ack.md) each side says how many bytes it takes unacknowledged: in OPEN
for what we take, in the first OKAY, which answers it, for what the device takes. Each OKAY has the number of bytes that
were taken since, which is the room for more.
"""

from __future__ import annotations

import contextlib
import struct
import threading
import time
from collections import deque
from collections.abc import Callable

from adb_shell import constants

from pocketbench.harness.transports.adb_link import LinkBrokenError, ServiceRefusedError, StreamEndedError
from pocketbench.harness.transports.adb_protocol import AdbProtocolError
from pocketbench.harness.transports.adb_wire import Message

__all__ = ["WINDOW_BYTES", "DirectStream"]

# What we take unread. The message that exceeds it is still sent, as adbd does.
WINDOW_BYTES = 1 << 20
# Without delayed_ack one is what the protocol allows.
_UNREAD_MESSAGES = 8
_COUNT = struct.Struct("<i")


class DirectStream:
    """See AdbStream. This one acknowledges on reading: so a device can never send more than is wanted here."""

    def __init__(
        self,
        local_id: int,
        payload_bytes: int,
        window_bytes: int,
        send: Callable[[Message], None],
        forget: Callable[[int], None],
    ) -> None:
        """`send` sends a message, `forget` is told the id of a stream that was left.

        `window_bytes` is 0 where each message has to be acknowledged before the next.
        """
        self.local_id = local_id
        self._payload_bytes = payload_bytes
        self._window_bytes = window_bytes
        self._send = send
        self._forget = forget
        self._changed = threading.Condition()
        self._remote_id = 0
        self._arrived: deque[bytes] = deque()
        self._unread_bytes = 0
        self._room_bytes = 0  # what the device takes; without delayed_ack a message where it is not 0
        self._ended = False  # by the device
        self._left = False  # by us
        self._broken: str | None = None

    def wait_until_open(self, timeout_s: float) -> None:
        """Return once the device has opened the service; ServiceRefusedError where it does not."""
        with self._changed:
            self._wait(lambda: self._remote_id != 0 or self._ended, timeout_s)
            if self._remote_id == 0:
                raise ServiceRefusedError("")

    def read(self, timeout_s: float) -> bytes:
        """See AdbStream."""
        with self._changed:
            if not self._arrived:
                self._wait(lambda: bool(self._arrived) or self._ended, timeout_s)
            if not self._arrived:
                return b""
            data = self._arrived.popleft()
            self._unread_bytes -= len(data)
            acknowledge = not (self._ended or self._left or self._broken)
        if acknowledge:
            count = _COUNT.pack(len(data)) if self._window_bytes else b""
            self._send(Message(constants.OKAY, self.local_id, self._remote_id, count))
        return data

    def write(self, data: bytes, timeout_s: float) -> None:
        """See AdbStream."""
        for start in range(0, len(data), self._payload_bytes):
            piece = data[start : start + self._payload_bytes]
            with self._changed:
                self._wait(lambda: self._room_bytes > 0 or self._ended, timeout_s)
                if self._ended:
                    raise StreamEndedError
                self._room_bytes -= len(piece) if self._window_bytes else self._room_bytes
            self._send(Message(constants.WRTE, self.local_id, self._remote_id, piece))

    def close(self) -> None:
        """See AdbStream."""
        with self._changed:
            if self._left:
                return
            self._left = True
            alive = self._broken is None
            self._changed.notify_all()
        self._forget(self.local_id)
        if alive:
            with contextlib.suppress(LinkBrokenError):  # with the link the stream is closed as well
                self._send(Message(constants.CLSE, self.local_id, self._remote_id, b""))

    def deliver(self, message: Message) -> None:
        """Take up a message for this stream; AdbProtocolError where the device sends without waiting."""
        with self._changed:
            if message.command == constants.OKAY:
                if self._remote_id == 0:
                    self._remote_id = message.arg0
                self._room_bytes += self._acknowledged_bytes(message.data)
            elif message.command == constants.WRTE and message.data:
                if self._unread_bytes >= self._window_bytes and len(self._arrived) >= _UNREAD_MESSAGES:
                    raise AdbProtocolError("data that was not asked for")
                self._arrived.append(message.data)
                self._unread_bytes += len(message.data)
            elif message.command == constants.CLSE:
                self._ended = True
            self._changed.notify_all()

    def link_broke(self, reason: str) -> None:
        """The connection is gone."""
        with self._changed:
            self._broken = reason
            self._changed.notify_all()

    def _acknowledged_bytes(self, count: bytes) -> int:
        if not self._window_bytes:
            return 1
        if len(count) != _COUNT.size:
            raise AdbProtocolError(f"a count of {len(count)} bytes")
        return int(_COUNT.unpack(count)[0])

    def _wait(self, done: Callable[[], bool], timeout_s: float) -> None:
        """Wait until `done`; with the condition held."""
        deadline = time.monotonic() + timeout_s
        while not done():
            if self._left:
                raise StreamEndedError
            if self._broken is not None:
                raise LinkBrokenError(self._broken)
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            self._changed.wait(left_s)
