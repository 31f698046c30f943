"""The rounds of one device: as many as a plan says, or until every ratio is as precise as asked for."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from pocketbench.harness.campaign.clock import Clock
from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.measure.looks import LOOKS, LOOKS_CONFIDENCE
from pocketbench.harness.measure.planning import Unreached, next_step
from pocketbench.harness.measure.rounds import may_repeat, round_order
from pocketbench.harness.measure.statistics import Estimate, paired_ratio
from pocketbench.harness.store.records import LaunchStatus, StoredJob

__all__ = ["Launched", "Rounds", "RoundsEnd"]

# A job whose launches fail this often in a row is not launched again: a crash repeats itself.
_FAILURES_IN_A_ROW = 2


@dataclass(frozen=True, slots=True)
class Launched:
    """How a launch ended: `median_ns` where it is ok."""

    status: LaunchStatus
    median_ns: float | None = None


@dataclass(frozen=True, slots=True)
class RoundsEnd:
    """Why there were no more than `rounds`, and which jobs are less precise than asked for."""

    reason: Literal["reached", "rounds", "time"]
    rounds: int
    unreached: tuple[Unreached, ...] = ()

    def to_json(self) -> str | None:
        """For the store; None where nothing is missing."""
        return json.dumps([asdict(one) for one in self.unreached]) if self.unreached else None


@dataclass(slots=True)
class Rounds:
    """`launch` is called with a job, the number of its round from 0, and its place there.

    `expect` is told how many launches are still to come, `between` the number of the round that comes next (or would).
    """

    plan: Plan
    jobs: Sequence[StoredJob]
    launch: Callable[[StoredJob, int, int], Launched]
    clock: Clock
    stop: threading.Event
    expect: Callable[[int], None] = lambda launches: None
    between: Callable[[int], None] = lambda number: None
    _medians: dict[str, dict[int, float]] = field(default_factory=dict, init=False)
    _launches: dict[str, int] = field(default_factory=dict, init=False)
    _failures: dict[str, int] = field(default_factory=dict, init=False)
    _costs_s: list[float] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        for job in self.jobs:
            self._medians[job.key] = dict(job.medians)
            self._launches[job.key] = job.launches
            self._failures[job.key] = 0

    def run(self) -> RoundsEnd | None:
        """All rounds; None where `stop` ended them."""
        start_s, number = self.clock.now_s(), 0
        until = self.plan.rounds or LOOKS[0]
        while True:
            while number < until:
                if self._too_late(start_s):
                    return RoundsEnd("time", number, self._unreached(number))
                self._round(number)
                if self.stop.is_set():
                    return None
                number += 1
            if self.plan.rounds is not None:
                return RoundsEnd("rounds", number)
            if not self._has_reference():
                return RoundsEnd("rounds", number, self._unreached(number))
            step = next_step(
                number,
                self._ratios(),
                half_width=self.plan.precision,
                round_costs_s=self._costs_s,
                time_left_s=self._left_s(start_s),
            )
            if step.until_round is None:
                assert step.reason != "more"  # then there are rounds to come
                return RoundsEnd(step.reason, number, step.unreached)
            until = step.until_round
            self.expect((until - number) * len(self._alive()))

    def _left_s(self, start_s: float) -> float | None:
        budget_s = self.plan.budget_s
        return None if budget_s is None else budget_s - (self.clock.now_s() - start_s)

    def _too_late(self, start_s: float) -> bool:
        """The longest round so far would not fit any more."""
        left_s = self._left_s(start_s)
        return left_s is not None and bool(self._costs_s) and left_s < max(self._costs_s)

    def _unreached(self, number: int) -> tuple[Unreached, ...]:
        if self.plan.rounds is not None:
            return ()
        return next_step(
            number, self._ratios(), half_width=self.plan.precision, round_costs_s=self._costs_s, time_left_s=0.0
        ).unreached

    def _round(self, number: int) -> None:
        """Launch what the round does not have yet, and what was invalid again at its end."""
        missing = [
            job
            for job in self._alive()
            # A round whose launches were all invalid, before an interruption, is as complete as it gets.
            if number not in job.rounds and may_repeat(self._launches[job.key], number + 1)
        ]
        if not missing:
            return
        began_s = self.clock.now_s()
        self.between(number)
        attempt, position = 0, 0
        while missing and not self.stop.is_set():
            missing = self._attempt(missing, number, attempt, position)
            attempt, position = attempt + 1, len(self.jobs) * (attempt + 1)
        self._costs_s.append(self.clock.now_s() - began_s)

    def _attempt(self, jobs: Sequence[StoredJob], number: int, attempt: int, first: int) -> list[StoredJob]:
        """One launch of each in random order; those that were invalid and may be launched once more.

        The place is that among all jobs, so that it is the same in a resumed round.
        """
        everyone = {_order_text(job): job for job in (self.jobs if attempt == 0 else jobs)}
        wanted = {job.key for job in jobs}
        again = []
        order = round_order(list(everyone), seed=self.plan.seed, round_number=number, attempt=attempt)
        for place, text in enumerate(order):
            job = everyone[text]
            if job.key not in wanted:
                continue
            if self.stop.is_set():
                return []
            launched = self.launch(job, number, first + place)
            self._count(job, number, launched)
            if launched.status == "invalid" and may_repeat(self._launches[job.key], number + 1):
                again.append(job)
        return again

    def _count(self, job: StoredJob, number: int, launched: Launched) -> None:
        self._launches[job.key] += 1
        self._failures[job.key] = self._failures[job.key] + 1 if launched.status == "failed" else 0
        if launched.median_ns is not None:
            self._medians[job.key][number] = launched.median_ns

    def _alive(self) -> list[StoredJob]:
        return [job for job in self.jobs if self._failures[job.key] < _FAILURES_IN_A_ROW]

    def _has_reference(self) -> bool:
        """Any reference was measured, or may be: without one no round makes a ratio more precise."""
        alive = {job.key for job in self._alive()}
        return any(key in alive or self._medians[key] for key in self._medians if key in self._references())

    def _references(self) -> set[str]:
        return {job.reference for job in self.jobs if job.reference is not None}

    def _ratios(self) -> dict[str, Estimate | None]:
        """Of every job that is compared: not of the reference, of its copy, and of what cannot be launched."""
        return {
            job.key: paired_ratio(
                self._medians[job.key], self._medians.get(job.reference, {}), confidence=LOOKS_CONFIDENCE
            )
            for job in self._alive()
            if job.reference not in (None, job.key) and not job.is_aa_copy and job.reference is not None
        }


def _order_text(job: StoredJob) -> str:
    """What a job is ordered by: not the device's name, which is another where a recorded session is replayed."""
    copy = ", A/A copy" if job.is_aa_copy else ""
    placed = "" if job.accelerator == "cpu" else f", {job.accelerator}"
    by = "" if job.opinion is None else f", by {job.opinion}"
    return f"{job.variant}, {job.threads}, {job.cores}{placed}{copy}{by}"
