"""The protocol of ADB spoken by ourselves to the adbd of a phone: streams side by side on one connection.

adb-shell gives the numbers of the protocol and the way over USB. Its own device class is not used: it serves one stream
at a time, so that nothing could end a command that hangs, drops what a socket does not take at once, and keeps neither
the device's features nor the standard input of a command.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from adb_shell import constants

from pocketbench.harness.transports.adb_keys import AdbKey
from pocketbench.harness.transports.adb_link import LinkBrokenError
from pocketbench.harness.transports.adb_protocol import AdbProtocolError
from pocketbench.harness.transports.adb_stream import WINDOW_BYTES, DirectStream
from pocketbench.harness.transports.adb_wire import (
    MAX_PAYLOAD_BYTES,
    VERSION,
    Message,
    Wire,
    pack_header,
    receive_message,
)

__all__ = ["DirectLink", "NotTrustedError", "OtherStateError", "TlsOnlyError", "WasSilentError"]

_ANSWER_TIMEOUT_S = 10.0
# How long the user has to find the phone and to tap on the dialog.
_TRUST_TIMEOUT_S = 30.0
_JOIN_TIMEOUT_S = 5.0
# More than a device sends until it has heard all our keys.
_ANSWERS = 200
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# Only what this side does too. The device compares the last name with its end: no zero byte may follow.
_BANNER = b"host::features=shell_v2,delayed_ack"


class NotTrustedError(Exception):
    """The phone does not accept any of the keys, and nobody tapped on its dialog."""


class TlsOnlyError(Exception):
    """The phone speaks TLS only, as wireless debugging does since Android 11."""


class WasSilentError(Exception):
    """The connection stands, but nothing that speaks ADB answers."""


class OtherStateError(Exception):
    """The phone runs something else than Android: `args[0]` is recovery, sideload, …"""


class _Greeting(NamedTuple):
    """What a device says of itself when it takes up a connection."""

    with_checksum: bool
    payload_bytes: int
    features: frozenset[str]


class DirectLink:
    """A connection to one phone over `wire`, which it owns from here on. See AdbLink."""

    def __init__(self, wire: Wire, keys: Sequence[AdbKey], *, way: str, on_dialog: Callable[[], None]) -> None:
        """Greet the phone, and prove who we are where it asks; `on_dialog` is called when the user has to tap on it.

        Raises the errors of this file, LinkBrokenError, AdbProtocolError, OSError.
        """
        self.way = way
        self._wire = wire
        self._sending = threading.Lock()
        self._lock = threading.Lock()
        self._streams: dict[int, DirectStream] = {}
        self._last_id = 0
        self._broken: str | None = None
        self._with_checksum = True  # until the device says that it can do without
        try:
            greeting = self._greet(keys, on_dialog)
        except BaseException:
            wire.close()
            raise
        self.features = greeting.features
        self.name_bytes = greeting.payload_bytes - 1  # a service ends with a zero byte
        self.write_bytes = greeting.payload_bytes
        self._window_bytes = WINDOW_BYTES if "delayed_ack" in greeting.features else 0
        self._with_checksum = greeting.with_checksum
        wire.set_timeout(None)
        self._reader = threading.Thread(target=self._receive_all, name="adb", daemon=True)
        self._reader.start()

    def open(self, service: bytes, timeout_s: float) -> DirectStream:
        """See AdbLink."""
        with self._lock:
            if self._broken is not None:
                raise LinkBrokenError(self._broken)
            self._last_id += 1
            stream = DirectStream(self._last_id, self.write_bytes, self._window_bytes, self._send, self._forget)
            self._streams[stream.local_id] = stream
        try:
            self._send(Message(constants.OPEN, stream.local_id, self._window_bytes, service + b"\0"))
            stream.wait_until_open(timeout_s)
        except BaseException:
            stream.close()
            raise
        return stream

    def is_broken(self) -> bool:
        """See AdbLink."""
        return self._broken is not None

    def answers(self) -> bool:
        """See AdbLink."""
        return self._broken is None

    def close(self) -> None:
        """See AdbLink."""
        self._break("the connection was closed")
        self._wire.interrupt()
        self._reader.join(_JOIN_TIMEOUT_S)
        self._wire.close()

    def _greet(self, keys: Sequence[AdbKey], on_dialog: Callable[[], None]) -> _Greeting:
        self._wire.set_timeout(_ANSWER_TIMEOUT_S)
        self._send(Message(constants.CNXN, VERSION, MAX_PAYLOAD_BYTES, _BANNER))
        unused = list(keys)
        asked = False
        for _ in range(_ANSWERS):
            answer = self._receive_answer(asked)
            if answer.command == constants.CNXN:
                return _parse_greeting(answer)
            if answer.command == b"STLS":
                raise TlsOnlyError
            if answer.command != constants.AUTH or answer.arg0 != constants.AUTH_TOKEN:
                continue  # what was on the way to an earlier connection, over USB
            if unused:
                signature = unused.pop(0).sign(_checked_token(answer.data))
                self._send(Message(constants.AUTH, constants.AUTH_SIGNATURE, 0, signature))
            elif asked:
                raise NotTrustedError
            else:
                asked = True
                self._send(Message(constants.AUTH, constants.AUTH_RSAPUBLICKEY, 0, keys[0].public_text() + b"\0"))
                self._wire.set_timeout(_TRUST_TIMEOUT_S)
                on_dialog()
        raise AdbProtocolError("no end of other messages")

    def _receive_answer(self, asked: bool) -> Message:
        try:
            return receive_message(self._wire)
        except TimeoutError:
            raise (NotTrustedError if asked else WasSilentError) from None
        except (LinkBrokenError, ConnectionError):
            if asked:
                raise NotTrustedError from None
            raise

    def _send(self, message: Message) -> None:
        header = pack_header(message, with_checksum=self._with_checksum)
        try:
            with self._sending:
                self._wire.send(header, message.data)
        except OSError as error:
            # A part of it may have gone: nothing that follows would be understood.
            self._break(error.strerror or str(error))
            self._wire.interrupt()
            raise LinkBrokenError(self._broken) from error

    def _receive_all(self) -> None:
        """Runs in a thread of its own. It never sends: a device that waits for us to receive would block both."""
        try:
            while self._broken is None:
                self._deliver(receive_message(self._wire))
        except (LinkBrokenError, AdbProtocolError) as error:
            self._break(str(error))
        except OSError as error:
            self._break(error.strerror or str(error))
        self._wire.interrupt()

    def _deliver(self, message: Message) -> None:
        if message.command in (constants.CNXN, constants.AUTH):
            raise LinkBrokenError("the device started anew")
        with self._lock:
            stream = self._streams.get(message.arg1)
        if stream is not None:  # else we have left it, and the rest of it was on its way
            stream.deliver(message)

    def _forget(self, local_id: int) -> None:
        with self._lock:
            self._streams.pop(local_id, None)

    def _break(self, reason: str) -> None:
        with self._lock:
            if self._broken is None:
                self._broken = reason
            streams = list(self._streams.values())
        for stream in streams:
            stream.link_broke(self._broken)


def _checked_token(data: bytes) -> bytes:
    if len(data) != 20:
        raise AdbProtocolError(f"a token of {len(data)} bytes")
    return data


def _parse_greeting(message: Message) -> _Greeting:
    # device::ro.product.name=x;ro.product.model=y;ro.product.device=z;features=shell_v2,cmd
    kind, _, rest = message.data.rstrip(b"\0").decode("ascii", errors="replace").partition(":")
    if kind != "device":
        raise OtherStateError(kind if _WORD.fullmatch(kind) else "unknown")
    properties = dict(pair.split("=", 1) for pair in rest.partition(":")[2].split(";") if "=" in pair)
    features = frozenset(name for name in properties.get("features", "").split(",") if _WORD.fullmatch(name))
    if not 256 <= message.arg1 <= 1 << 30:
        raise AdbProtocolError(f"messages of at most {message.arg1} bytes")
    return _Greeting(message.arg0 < VERSION, min(message.arg1, MAX_PAYLOAD_BYTES), features)
