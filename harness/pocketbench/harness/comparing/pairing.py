"""Which job of A is compared with which of B: the same variant under the same conditions, else the nearest ones."""

from __future__ import annotations

from collections.abc import Sequence

from pocketbench.reports.campaign import Job

__all__ = ["pair_jobs"]


def pair_jobs(before: Sequence[Job], after: Sequence[Job]) -> tuple[tuple[Job | None, Job | None], ...]:
    """Each job once, in the order of A, then those that are only in B.

    A job without its like is paired with one of the same variant that is left over, the most alike first: so it is
    said what keeps them from being compared, not only that there is no other.
    """
    partners: dict[int, int] = {}
    for most in range(len(_setting(before[0])) + 1) if before else ():
        for place, job in enumerate(before):
            if place in partners:
                continue
            free = (at for at, other in enumerate(after) if at not in partners.values() and _apart(job, other) == most)
            if (found := next(free, None)) is not None:
                partners[place] = found
    pairs = [(job, after[partners[place]] if place in partners else None) for place, job in enumerate(before)]
    rest = [(None, job) for at, job in enumerate(after) if at not in partners.values()]
    return (*pairs, *rest)


def _apart(job: Job, other: Job) -> int | None:
    """How many of the settings differ; None for another variant."""
    if job.variant.name != other.variant.name:
        return None
    return sum(own != others for own, others in zip(_setting(job), _setting(other), strict=True))


def _setting(job: Job) -> tuple[object, ...]:
    return (job.device, job.accelerator, job.threads, job.cores)
