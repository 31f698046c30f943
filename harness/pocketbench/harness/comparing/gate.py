"""Limits on a comparison: which jobs are beyond one, which are not, and of which it cannot be said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pocketbench.checked.errors import InputError
from pocketbench.harness.comparing.change import LatencyChange, NotCompared, QualityChange, SizeChange
from pocketbench.harness.comparing.comparison import ComparedCampaigns, ComparedJob
from pocketbench.harness.comparing.limits import Limit, Outcome, outcome, span_of, threshold
from pocketbench.harness.comparing.remedies import what_would_tell
from pocketbench.reports.names import reason as shown

__all__ = ["Judged", "check_judged", "judge_jobs"]


@dataclass(frozen=True, slots=True)
class Judged:
    """A limit on a job. `reason` is why it fails or cannot be said, with what to do; None where it holds.

    `change` is None where there was nothing to compare.
    """

    limit: Limit
    compared: ComparedJob
    outcome: Outcome
    reason: str | None
    change: LatencyChange | SizeChange | QualityChange | None


def judge_jobs(limits: Sequence[Limit], compared: ComparedCampaigns) -> tuple[Judged, ...]:
    """Each limit on each job of A. A job that could be measured in A and not in B fails, whatever the limit."""
    return tuple(judged for limit in limits for job in compared.jobs for judged in _judged(limit, job))


def check_judged(limits: Sequence[Limit], judged: Sequence[Judged]) -> None:
    """Raise InputError where a limit had no job to be put on: a gate that looks at nothing must not pass."""
    for limit in limits:
        mine = [one for one in judged if one.limit == limit]
        if all(one.change is None and one.outcome != "fails" for one in mine):
            why = next((one.reason for one in mine if one.reason), f"no job has a {limit.metric} of its own in A")
            raise InputError(
                f"expected a job whose {limit.metric} can be compared for --fail-if {str(limit)!r}, got none: "
                f"{shown(why).short}. "
                "Measure B with A's devices, threads and reference, and at least one variant beside the reference."
            )


def _judged(limit: Limit, job: ComparedJob) -> Iterator[Judged]:
    if job.broken is not None:
        yield Judged(limit, job, "fails", job.broken, None)
        return
    change = {"latency": job.latency, "size": job.size, "quality": job.quality}[limit.metric]
    if isinstance(change, NotCompared):
        if job.before is not None and not (limit.metric == "latency" and job.before.is_reference):
            yield Judged(limit, job, "cannot say", change.reason, None)
        return
    at = threshold(limit, change)
    if at is None:
        yield Judged(limit, job, "cannot say", "a share of a quality of 0 says nothing: give the change itself", None)
        return
    span = span_of(change)
    found = outcome(limit, span, at)
    reason = what_would_tell(change, span, at, job.job.device) if found == "cannot say" else None
    yield Judged(limit, job, found, reason, change)
