"""How far a campaign is and how long it will still take: compression first, then what each launch takes here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pocketbench.compression.progress import BuildProgress

__all__ = ["CampaignProgress", "Meter"]


@dataclass(frozen=True, slots=True)
class CampaignProgress:
    """`done` of `total` (0 to 1 of 1), what is being worked on, and the seconds left where they can be said."""

    message: str
    done: float
    total: float
    seconds_left: float | None


@dataclass(slots=True)
class _Pace:
    """The launches of one device, and how fast they go; until one has been seen at `expected_s` each."""

    launches: int
    expected_s: float
    launched: int = 0
    first: float | None = None

    def left_s(self) -> float:
        left = max(0, self.launches - self.launched)
        if self.first is None or self.launched == 0:
            return left * self.expected_s
        return left * (time.monotonic() - self.first) / self.launched


class Meter:
    """Turns what happens on the devices, each in a thread of its own, into events for `listener`, one at a time.

    Devices work side by side, so what is left of the measurement is what is left on the device that takes longest.
    The share done never falls.
    """

    def __init__(
        self, listener: Callable[[CampaignProgress], None], *, launches: Mapping[str, int], expected_launch_s: float
    ) -> None:
        self._listener = listener
        self._paces = {device: _Pace(count, expected_launch_s) for device, count in launches.items()}
        self._start = time.monotonic()
        self._done = 0.0
        self._lock = threading.RLock()

    def built(self, event: BuildProgress) -> None:
        """Compression says where it is."""
        with self._lock:
            self._tell(event.message, None if event.seconds_left is None else event.seconds_left + self._launching_s())

    def expect(self, device: str, launches: int) -> None:
        """As many launches are to come on `device`, now that it is known which variants there are."""
        with self._lock:
            pace = self._paces[device]
            pace.launches = pace.launched + launches

    def tell(self, message: str) -> None:
        """Something other than a launch is being done."""
        with self._lock:
            self._tell(message, self._launching_s())

    def launch(self, device: str, message: str) -> None:
        """A launch begins on `device`."""
        with self._lock:
            pace = self._paces[device]
            if pace.first is None:
                pace.first = time.monotonic()
            self._tell(message, self._launching_s())
            pace.launched += 1

    def _launching_s(self) -> float:
        return max((pace.left_s() for pace in self._paces.values()), default=0.0)

    def _tell(self, message: str, left_s: float | None) -> None:
        spent_s = time.monotonic() - self._start
        if left_s is not None:
            self._done = max(self._done, spent_s / (spent_s + left_s) if spent_s + left_s else 1.0)
        self._listener(CampaignProgress(message, round(self._done, 3), 1.0, left_s))
