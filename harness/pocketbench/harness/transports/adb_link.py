"""What the two ways to a phone, directly and through the adb server, have in common: streams to services there.

A service is named as adbd names it (AOSP packages/modules/adb, SERVICES.TXT): `shell,v2,raw:COMMAND`, `exec:COMMAND`,
`sync:`. Threads may share a link; a stream is read by one thread while another one writes.
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["AdbLink", "AdbStream", "LinkBrokenError", "ServiceRefusedError", "StreamEndedError"]


class LinkBrokenError(Exception):
    """The connection to the device is gone; `args[0]` says what is known of it."""


class ServiceRefusedError(Exception):
    """The device did not open a service; `args[0]` has its words, where it said any."""


class StreamEndedError(Exception):
    """The device closed the stream before everything was written to it."""


class AdbStream(Protocol):
    """A stream to one service."""

    def read(self, timeout_s: float) -> bytes:
        """What has come, at least one byte; b"" once the device has closed it.

        Raises TimeoutError where nothing comes, LinkBrokenError where the device is lost.
        """
        ...

    def write(self, data: bytes, timeout_s: float) -> None:
        """Send all of `data`, which may wait for the device to take what was sent before.

        Raises TimeoutError where it takes nothing for so long, StreamEndedError, LinkBrokenError.
        """
        ...

    def close(self) -> None:
        """Leave the stream, and wake whoever reads or writes; harmless a second time."""
        ...


class AdbLink(Protocol):
    """A connection to one device."""

    way: str
    """To show: "directly over TCP", "through the adb server at 127.0.0.1:5037"."""
    features: frozenset[str]
    """What the device's adbd can do (AOSP transport.h, kFeature*)."""
    name_bytes: int
    """The longest name of a service, the command included."""
    write_bytes: int
    """How much is best written at once."""

    def open(self, service: bytes, timeout_s: float) -> AdbStream:
        """Open a stream; ServiceRefusedError, LinkBrokenError, TimeoutError."""
        ...

    def is_broken(self) -> bool:
        """Whether it is known to be of no use any more, without asking."""
        ...

    def answers(self) -> bool:
        """Whether the device can still be reached this way."""
        ...

    def close(self) -> None:
        """End the connection with all its streams; harmless a second time."""
        ...
