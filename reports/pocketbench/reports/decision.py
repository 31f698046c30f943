"""Which variant to ship on a device: the rule, and nothing about how it is worded.

1. In question are all jobs of the device that could be measured, with every engine, number of threads and choice of
   cores. Controls are not: they exist to be compared with.
2. A variant is faster where its latency differs from the reference's by the campaign's rule (`estimates.verdict`: the
   95 % interval of the ratio, paired by round and with the same threads and cores, excludes 1, and the ratio is further
   from 1 than the A/A copy's), and the ratio is below 1.
3. It keeps the quality where the reference's value does not lie outside its interval on the good side. Where the
   reference's quality is known and the variant's is not, it does not count as kept; where no quality is known, or the
   metric has no interval, quality was not judged, and the verdict says so.
4. The fastest variant that is faster and keeps the quality is what to ship, unless the reference is faster still with
   other threads or cores. Where none is faster and keeps the quality, the reference is.
5. Where nothing is faster, but of a variant it cannot be said, nothing is decided.
6. Without a reference nothing is faster than it: then the lowest latency is named, and no more than that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pocketbench.reports.campaign import Campaign, Interval, Job
from pocketbench.reports.noise import beyond_noise, noise_floor
from pocketbench.reports.paired import ByRound, paired_ratio
from pocketbench.reports.quality import Judgement, judge

__all__ = ["Decision", "Outcome", "decide", "told_apart"]

Outcome = Literal["variant", "reference", "undecided", "no reference", "nothing"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What to ship on one device.

    `pick` is the job to ship (undecided: the reference's), None for the outcome nothing. `reference` is the one that
    `pick` is compared to, `rival` the fastest setting of the reference. `ties` are the other candidates whose latency
    cannot be told apart from the pick's, `too_lossy` those that are faster than the pick but worse, `unjudged` those
    that are faster but of unknown quality, `per_setting` the best of each setting where there are several, `hopeful`
    the fastest of those of which it cannot be said whether they differ.
    """

    device: str
    outcome: Outcome
    pick: Job | None = None
    reference: Job | None = None
    rival: Job | None = None
    against_rival: Interval | None = None
    judgement: Judgement = "not known"
    ties: tuple[tuple[Job, Interval | None], ...] = ()
    too_lossy: tuple[Job, ...] = ()
    unjudged: tuple[Job, ...] = ()
    per_setting: tuple[Job, ...] = ()
    hopeful: Job | None = None
    alone: bool = False


def decide(campaign: Campaign, device: str, medians: ByRound) -> Decision:
    """Apply the rule to one device."""
    jobs = [job for job in campaign.jobs_on(device) if job.usable and not job.is_control]
    if not jobs:
        return Decision(device, "nothing")
    references = [job for job in jobs if job.is_reference]
    if not references:
        pick = _fastest(jobs)
        ties = _ties(campaign, pick, jobs, medians)
        return Decision(device, "no reference", pick, ties=ties, alone=len(jobs) == 1)
    rival = _fastest(references)
    by_id = {job.job_id: job for job in references}
    faster = [
        (job, by_id[job.reference_job_id])
        for job in jobs
        if job.reference_job_id in by_id and not job.is_reference and job.is_different and _ratio(job) < 1
    ]
    kept = [job for job, reference in faster if _keeps_quality(job, reference)]
    pick = _fastest([*kept, *references])
    reference = pick if pick.is_reference else by_id[pick.reference_job_id or ""]
    lossy = [job for job, own in faster if judge(job, own) == "worse" and _latency(job) < _latency(pick)]
    unjudged = [job for job, own in faster if own.quality and job.quality is None and _latency(job) < _latency(pick)]
    hopeful = _hopeful(jobs, by_id) if pick.is_reference else None
    return Decision(
        device,
        "undecided" if hopeful else "reference" if pick.is_reference else "variant",
        pick,
        reference=reference,
        rival=rival,
        against_rival=None if pick.is_reference or rival is reference else _against(campaign, pick, rival, medians),
        judgement=judge(pick, reference),
        ties=() if hopeful else _ties(campaign, pick, kept if not pick.is_reference else [], medians),
        too_lossy=tuple(lossy),
        unjudged=tuple(unjudged),
        per_setting=_per_setting(campaign, device, [*kept, *references]),
        hopeful=hopeful,
        alone=len(jobs) == len(references),
    )


def told_apart(campaign: Campaign, job: Job, other: Job, ratio: Interval | None) -> bool:
    """Whether the ratio of two jobs is a difference; where no noise floor is known, the interval alone tells."""
    return beyond_noise(ratio, noise_floor(campaign, job, other) or 0.0)


def _hopeful(jobs: list[Job], by_id: dict[str, Job]) -> Job | None:
    others = [job for job in jobs if job.reference_job_id in by_id and not job.is_reference and job.ratio]
    unknown = [job for job in others if job.verdict not in ("difference", "none found")]
    good = [job for job in unknown if _ratio(job) < 1 and _keeps_quality(job, by_id[job.reference_job_id or ""])]
    return min(good, key=_latency, default=None)


def _keeps_quality(job: Job, reference: Job) -> bool:
    judgement = judge(job, reference)
    return judgement != "worse" and not (judgement == "not known" and reference.quality is not None)


def _ties(campaign: Campaign, pick: Job, jobs: list[Job], medians: ByRound) -> tuple[tuple[Job, Interval | None], ...]:
    others = [job for job in sorted(jobs, key=_latency) if job is not pick]
    ratios = [(job, _against(campaign, job, pick, medians)) for job in others]
    return tuple((job, ratio) for job, ratio in ratios if not told_apart(campaign, job, pick, ratio))


def _against(campaign: Campaign, job: Job, other: Job, medians: ByRound) -> Interval | None:
    return paired_ratio(medians, job, other, confidence=campaign.confidence)


def _per_setting(campaign: Campaign, device: str, jobs: list[Job]) -> tuple[Job, ...]:
    if not campaign.several_settings(device):
        return ()
    settings = dict.fromkeys((job.threads, job.cores) for job in jobs)
    return tuple(_fastest([job for job in jobs if (job.threads, job.cores) == setting]) for setting in settings)


def _latency(job: Job) -> float:
    return job.latency.value if job.latency else float("inf")


def _ratio(job: Job) -> float:
    return job.ratio.value if job.ratio else float("inf")


def _fastest(jobs: list[Job]) -> Job:
    return min(jobs, key=_latency)
