"""How far a campaign is and how long it will still take: compression first, then what each launch takes here."""

from __future__ import annotations

import time
from collections.abc import Callable
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


class Meter:
    """Turns what happens into events for `listener`.

    What is left of the measurement is the number of launches that are still to come, at what those before took; until
    one has been seen, at `expected_launch_s`. The share done never falls.
    """

    def __init__(
        self, listener: Callable[[CampaignProgress], None], *, launches: int, expected_launch_s: float
    ) -> None:
        self._listener = listener
        self._launches = launches
        self._expected_launch_s = expected_launch_s
        self._start = time.monotonic()
        self._first_launch: float | None = None
        self._launched = 0
        self._done = 0.0

    def built(self, event: BuildProgress) -> None:
        """Compression says where it is."""
        left = None if event.seconds_left is None else event.seconds_left + self._launching_s()
        self._tell(event.message, left)

    def expect(self, launches: int) -> None:
        """As many launches are to come, now that it is known which variants there are."""
        self._launches = self._launched + launches

    def tell(self, message: str) -> None:
        """Something other than a launch is being done."""
        self._tell(message, self._launching_s())

    def launch(self, message: str) -> None:
        """A launch begins."""
        if self._first_launch is None:
            self._first_launch = time.monotonic()
        self._tell(message, self._launching_s())
        self._launched += 1

    def _launching_s(self) -> float:
        left = max(0, self._launches - self._launched)
        if self._first_launch is None or self._launched == 0:
            return left * self._expected_launch_s
        return left * (time.monotonic() - self._first_launch) / self._launched

    def _tell(self, message: str, left_s: float | None) -> None:
        spent_s = time.monotonic() - self._start
        if left_s is not None:
            self._done = max(self._done, spent_s / (spent_s + left_s) if spent_s + left_s else 1.0)
        self._listener(CampaignProgress(message, round(self._done, 3), 1.0, left_s))
