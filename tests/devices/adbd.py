"""The device side of ADB over TCP, emulated: messages, trust, streams, and the faults that a test may order.

Hosts are served in adbd_connection.py, what the services do is in adbd_services.py. It is itself tried with Google's
adb in test_phone.py.

    with Adbd(machine) as adbd:
        adbd.host, adbd.port
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Sequence
from typing import Self

from tests.devices.adbd_auth import PublicKey
from tests.devices.adbd_connection import VERSION, Connection
from tests.devices.adbd_services import Machine

__all__ = ["FEATURES", "OLD_FEATURES", "Adbd"]

FEATURES = ("shell_v2", "cmd", "stat_v2", "ls_v2", "fixed_push_mkdir", "delayed_ack")
# Android 5 and 6 say none.
OLD_FEATURES = ()

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
        version: int = VERSION,
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
        self.speaking = threading.Event()
        self.speaking.set()
        self.answering = True
        self._last_message = self._last_byte = _NOT_LIMITED
        self._listener: socket.socket | None = None
        self._connections: set[Connection] = set()
        self._threads: list[threading.Thread] = []

    def plug(self) -> None:
        """Listen, at the same port as before."""
        self._listener = socket.create_server((self.host, self.port))
        self.port = self._listener.getsockname()[1]
        self.spawn(self._accept_all, self._listener)

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
        self.speaking.clear()

    def speak(self) -> None:
        """Go on after silence()."""
        self.speaking.set()

    def go_offline(self) -> None:
        """End every connection; answer no greeting any more."""
        self.answering = False
        self.drop()

    def go_online(self) -> None:
        """Answer greetings again; hosts that still wait for one have to ask anew."""
        self.answering = True
        self.drop()

    def accept(self) -> None:
        """The user taps on the dialog: hosts that wait are let in."""
        with self._lock:
            self.trusted += self.offered
            waiting = [connection for connection in self._connections if connection.offered is not None]
        for connection in waiting:
            connection.greet()

    def show_dialog(self, key: PublicKey) -> None:
        """Ask the user about a host, who may have decided already."""
        with self._lock:
            self.offered.append(key)
            accepted = len(self.offered) == self.accept_on_try
        if accepted:
            self.accept()

    def forget(self, connection: Connection) -> None:
        """It has ended."""
        with self._lock:
            self._connections.discard(connection)

    def __enter__(self) -> Self:
        self.plug()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.speak()
        self.unplug()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive(), f"{thread} does not end"

    def spawn(self, target: object, *arguments: object) -> None:
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
                connection = Connection(self, opened)
                with self._lock:
                    self._connections.add(connection)
                self.spawn(connection.run)

    def let_message_through(self) -> bool:
        """Whether this message still gets through."""
        with self._lock:
            self.messages += 1
            through = self.messages < self._last_message
            if not through:
                self._last_message = _NOT_LIMITED
            return through

    def bytes_left(self) -> int:
        with self._lock:
            return self._last_byte - self.received_bytes

    def let_bytes_through(self, number: int) -> bool:
        """Whether the connection lasts after these."""
        with self._lock:
            self.received_bytes += number
            lasts = self.received_bytes < self._last_byte
            if not lasts:
                self._last_byte = _NOT_LIMITED
            return lasts
