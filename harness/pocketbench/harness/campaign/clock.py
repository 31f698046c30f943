"""The clock that a device is waited for by: this computer's, or, in a replay, that of the recorded session."""

from __future__ import annotations

import threading
import time
from typing import Protocol

from pocketbench.harness.transports.base import Transport
from pocketbench.harness.transports.scripted import ScriptedTransport

__all__ = ["Clock", "RealClock", "clock_of"]


class Clock(Protocol):
    """Seconds that only grow, and a way to let some pass."""

    def now_s(self) -> float:
        """Since any instant."""
        ...

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Let that much time pass; True at once where `stop` is set."""
        ...


class RealClock:
    """Time as it passes here."""

    def now_s(self) -> float:
        """Since the computer was started."""
        return time.monotonic()

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Sleep, until `stop` is set."""
        return stop.wait(seconds)


class _RecordedClock:
    """Time as it passed when the transcript was recorded, so that a device is given up at the same call."""

    def __init__(self, transport: ScriptedTransport) -> None:
        self._transport = transport

    def now_s(self) -> float:
        return self._transport.now_s

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        return stop.is_set()


def clock_of(transport: Transport) -> Clock:
    """The clock of whatever is at the other end of `transport`."""
    return _RecordedClock(transport) if isinstance(transport, ScriptedTransport) else RealClock()
