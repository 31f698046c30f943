"""How far a build is and how long it will still take.

The time left is what the tasks of each stage took so far, applied to those that are still to come; a running task that
tells its share is extrapolated from it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pocketbench.compression.worker import Status

__all__ = ["BuildProgress", "ProgressMeter"]

# Seconds that a task of a stage takes on a small model, until one of it has been seen.
_FIRST_GUESS_S = {"read": 3.0, "source": 1.0, "train": 8.0, "export": 1.5, "convert": 0.5}
_TRUSTED_FRACTION = 0.05  # an extrapolation from less than this swings too far


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """`done` of `total` (0 to 1 of 1), what is being worked on, and the seconds left where they can be said."""

    message: str
    done: float
    total: float
    seconds_left: float | None


class ProgressMeter:
    """Turns what starts, tells and ends into events for `listener`; the share done never falls."""

    def __init__(self, stages: Mapping[str, str], workers: int, listener: Callable[[BuildProgress], None]) -> None:
        """`stages`: stage by name of the task, for all tasks there are."""
        self._stages = stages
        self._workers = workers
        self._listener = listener
        self._started: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        self._done = 0.0
        self._last: BuildProgress | None = None

    def start(self, name: str) -> None:
        """Note that the task begins."""
        self._started[name] = time.monotonic()

    def end(self, name: str) -> None:
        """Note that the task is over, well or not."""
        self._ended[name] = time.monotonic() - self._started.get(name, time.monotonic())

    def tell(self, message: str, statuses: Mapping[str, Status | None]) -> None:
        """Send an event where it says something new; `statuses` of the running tasks by name."""
        left_s = {name: self._left_s(name, statuses.get(name)) for name in self._stages if name not in self._ended}
        spent_s = sum(self._ended.values()) + sum(time.monotonic() - self._started[name] for name in statuses)
        total_s = spent_s + sum(left_s.values())
        self._done = max(self._done, spent_s / total_s if total_s else 1.0)
        # No better than the longest task that is left, however many workers there are.
        seconds = max(sum(left_s.values()) / self._workers, max(left_s.values(), default=0.0))
        known = bool(self._ended) or any(status and status.fraction for status in statuses.values())
        event = BuildProgress(message, round(self._done, 3), 1.0, float(round(seconds)) if known else None)
        if event != self._last:
            self._last = event
            self._listener(event)

    def _left_s(self, name: str, status: Status | None) -> float:
        running_s = time.monotonic() - self._started[name] if name in self._started else 0.0
        if status and status.fraction >= _TRUSTED_FRACTION:
            return running_s * (1 - status.fraction) / status.fraction
        return max(self._expected_s(self._stages[name]) - running_s, 0.5)

    def _expected_s(self, stage: str) -> float:
        seen = _positive(self._ended[name] for name in self._ended if self._stages[name] == stage)
        return sum(seen) / len(seen) if seen else _FIRST_GUESS_S[stage]


def _positive(durations_s: Iterable[float]) -> list[float]:
    """Without tasks that came from the cache, which took no time."""
    return [duration_s for duration_s in durations_s if duration_s > 0.0]
