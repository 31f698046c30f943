"""One of the streams that share a connection to a phone."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable

from adb_shell import constants

from pocketbench.harness.transports.adb_link import LinkBrokenError, ServiceRefusedError, StreamEndedError
from pocketbench.harness.transports.adb_protocol import AdbProtocolError
from pocketbench.harness.transports.adb_wire import Message

__all__ = ["DirectStream"]

# One is what the protocol allows.
_UNREAD_MESSAGES = 8


class DirectStream:
    """See AdbStream. A side sends the next message once the last was acknowledged, which this one does on reading: so
    a device can never send more than is wanted here."""

    def __init__(
        self,
        local_id: int,
        payload_bytes: int,
        send: Callable[[Message], None],
        forget: Callable[[int], None],
    ) -> None:
        """`send` sends a message, `forget` is told the id of a stream that was left."""
        self.local_id = local_id
        self._payload_bytes = payload_bytes
        self._send = send
        self._forget = forget
        self._changed = threading.Condition()
        self._remote_id = 0
        self._arrived: deque[bytes] = deque()
        self._acknowledged = False
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
            acknowledge = not (self._ended or self._left or self._broken)
        if acknowledge:
            self._send(Message(constants.OKAY, self.local_id, self._remote_id, b""))
        return data

    def write(self, data: bytes, timeout_s: float) -> None:
        """See AdbStream."""
        for start in range(0, len(data), self._payload_bytes):
            with self._changed:
                self._wait(lambda: self._acknowledged or self._ended, timeout_s)
                if self._ended:
                    raise StreamEndedError
                self._acknowledged = False
            piece = data[start : start + self._payload_bytes]
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
                self._acknowledged = True
            elif message.command == constants.WRTE and message.data:
                if len(self._arrived) >= _UNREAD_MESSAGES:
                    raise AdbProtocolError("data that was not asked for")
                self._arrived.append(message.data)
            elif message.command == constants.CLSE:
                self._ended = True
            self._changed.notify_all()

    def link_broke(self, reason: str) -> None:
        """The connection is gone."""
        with self._changed:
            self._broken = reason
            self._changed.notify_all()

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
