"""Campaign A against campaign B, job by job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pocketbench.checked.errors import InputError
from pocketbench.harness.comparing.change import (
    LatencyChange,
    NotCompared,
    QualityChange,
    SizeChange,
    latency_change,
    quality_change,
    size_change,
)
from pocketbench.harness.comparing.conditions import Difference, Refuses, different_conditions
from pocketbench.harness.comparing.facts import Measured
from pocketbench.harness.comparing.pairing import pair_jobs
from pocketbench.reports.campaign import Job
from pocketbench.reports.names import reason

__all__ = ["ComparedCampaigns", "ComparedJob", "check_compared", "compare_campaigns"]

# What decides the outputs, beside the data.
_OUTPUTS = ("variant.sha256", "engine_id", "accelerator")


@dataclass(frozen=True, slots=True)
class ComparedJob:
    """A job of A and its like in B; one of them is None where only the other campaign has it.

    `broken` says why a job of A could not be measured in B, None where it could or was not to be.
    """

    before: Job | None
    after: Job | None
    different: tuple[Difference, ...]
    latency: LatencyChange | NotCompared
    size: SizeChange | NotCompared
    quality: QualityChange | NotCompared
    broken: str | None = None

    @property
    def job(self) -> Job:
        """What it is called by: that of B where there is one, as B is what is asked about."""
        job = self.after or self.before
        assert job is not None  # a job is in A or in B
        return job

    @property
    def is_compared(self) -> bool:
        """Whether any figure of it could be."""
        return not all(isinstance(one, NotCompared) for one in (self.latency, self.size, self.quality))


@dataclass(frozen=True, slots=True)
class ComparedCampaigns:
    """All jobs of both; `notes` are sentences on the campaigns themselves."""

    before: Measured
    after: Measured
    jobs: tuple[ComparedJob, ...]
    notes: tuple[str, ...]


def compare_campaigns(before: Measured, after: Measured) -> ComparedCampaigns:
    """What changed from A (`before`) to B (`after`); InputError where both are the same campaign."""
    if before.campaign_id == after.campaign_id:
        raise InputError(
            f"expected two campaigns, got {before.campaign_id!r} twice: `pocketbench results list` shows all."
        )
    pairs = pair_jobs(before.campaign.jobs, after.campaign.jobs)
    jobs = tuple(_compared(before, own, after, other) for own, other in pairs)
    return ComparedCampaigns(before, after, jobs, tuple(_notes(before, after, jobs)))


def check_compared(compared: ComparedCampaigns) -> None:
    """Raise InputError where nothing could be compared; it names the first reason."""
    if not any(job.is_compared for job in compared.jobs):
        first = next((job.latency.reason for job in compared.jobs if isinstance(job.latency, NotCompared)), None)
        raise InputError(
            f"expected campaigns with a job in common that can be compared, got none: "
            f"{reason(first or 'they have no jobs').short}."
        )


def _notes(before: Measured, after: Measured, jobs: Sequence[ComparedJob]) -> Iterator[str]:
    for name, measured in (("A", before), ("B", after)):
        if measured.campaign.status != "finished":
            yield f"{name} is not finished: what was measured until now is compared."
    if before.started_at and after.started_at and before.started_at > after.started_at:
        yield "B was measured before A; changes are from A to B all the same."
    if any(one.key == "reference.engine_id" for job in jobs for one in job.different):
        yield "The reference ran on another engine build in B: what changed alike for it and a variant does not show."


def _compared(before: Measured, own: Job | None, after: Measured, other: Job | None) -> ComparedJob:
    if own is None or other is None:
        return _alone(own, after, other)
    facts, others = before.facts.get(own.job_id, {}), after.facts.get(other.job_id, {})
    different = (*_evaluation(before, after, own, other), *different_conditions(facts, others))
    refused = {one.refuses: one for one in reversed(different) if one.refuses is not None}
    all_of_it = _refusal(refused, "everything")
    same = before.evaluation == after.evaluation and all(
        facts.get(key) is not None and facts.get(key) == others.get(key) for key in _OUTPUTS
    )
    return ComparedJob(
        own,
        other,
        different,
        all_of_it or _refusal(refused, "latency") or latency_change(before, own, after, other),
        all_of_it or size_change(own, other),
        all_of_it or _refusal(refused, "quality") or quality_change(own, other, same_outputs=same),
        None if all_of_it or other.usable or not own.usable else _failure(other),
    )


def _alone(own: Job | None, after: Measured, other: Job | None) -> ComparedJob:
    missing = NotCompared("it is only in B")
    broken = None
    if own is not None:
        failed = [one for one in after.campaign.variants if one.name == own.variant.name and not one.ok]
        broken = f"it failed in B: {failed[0].reason or 'no reason is known'}" if failed and own.usable else None
        missing = NotCompared(broken or "it is only in A")
    return ComparedJob(own, other, (), missing, missing, missing, broken)


def _failure(job: Job) -> str:
    why = job.reason or job.variant.reason or "no launch of it could be used"
    return f"it failed in B: {why}"


def _refusal(refused: Mapping[Refuses, Difference], what: Refuses) -> NotCompared | None:
    one = refused.get(what)
    return None if one is None else NotCompared(f"{one.key} is {one.before} in A and {one.after} in B")


def _evaluation(before: Measured, after: Measured, own: Job, other: Job) -> Iterator[Difference]:
    """The hash is of the data and of the names of the variants that it was fitted to, so those must be the same."""
    if before.evaluation == after.evaluation or own.quality is None or other.quality is None:
        return
    names = [{one.name for one in measured.campaign.variants if one.ok} for measured in (before, after)]
    hashes = [measured.evaluation[:12] if measured.evaluation else "not known" for measured in (before, after)]
    yield Difference("evaluation", hashes[0], hashes[1], "quality" if names[0] == names[1] else None)
