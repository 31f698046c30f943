"""What a reader must know before following a decision; each caution is drawn from the tables."""

from __future__ import annotations

from collections.abc import Iterator

from pocketbench.reports.campaign import Campaign, Interval, Job
from pocketbench.reports.decision import Decision, told_apart
from pocketbench.reports.digits import quality_change, quality_value, ratio
from pocketbench.reports.flags import MEANINGS, WEIGHTY
from pocketbench.reports.names import Name, Sentence, reason
from pocketbench.reports.naming import called, listed
from pocketbench.reports.paired import ByRound, paired_ratio
from pocketbench.reports.quality import judge, loss, worst_loss

__all__ = ["cautions"]

# measurement.md: a pilot has 5 rounds; with fewer, the t interval rests on a spread that is hardly known.
FEW_ROUNDS = 5
_MARKS = 3  # of a job in words; the section on launches has all


def cautions(campaign: Campaign, decision: Decision, medians: ByRound) -> tuple[Sentence, ...]:
    """In the order of their weight."""
    return (
        *_lossy(campaign, decision),
        *_quality(campaign, decision),
        *_control(campaign, decision, medians),
        *_ties(campaign, decision),
        *_rounds(campaign, decision),
        *_rival(campaign, decision),
        *_gate(decision),
        *_partial(campaign, decision),
        *_flags(campaign, decision),
    )


def _lossy(campaign: Campaign, decision: Decision) -> Iterator[Sentence]:
    for job in decision.too_lossy[:3]:
        assert job.ratio is not None  # a faster job has one
        reference = next(other for other in campaign.jobs if other.job_id == job.reference_job_id)
        yield (
            *called(campaign, job),
            f" is faster still ({ratio(job.ratio)}) but worse: ",
            *_values(job, reference),
            ".",
        )
    if decision.unjudged:
        yield (
            "Faster still, but of unknown quality: ",
            *listed([called(campaign, job) for job in decision.unjudged]),
            ".",
        )


def _values(job: Job, reference: Job) -> Sentence:
    own, others = job.quality, reference.quality
    assert own is not None  # only called for judged jobs
    assert others is not None
    ours, theirs = quality_value(own.metric, own.interval), quality_value(others.metric, others.interval)
    return (Name(own.metric), f" {ours} instead of {theirs}")


def _quality(campaign: Campaign, decision: Decision) -> Iterator[Sentence]:
    job, reference = decision.pick, decision.reference
    if decision.outcome != "variant" or job is None or reference is None:
        return
    own, others = job.quality, reference.quality
    if decision.judgement == "not known" or own is None or others is None:
        # Without evaluation data the notes on the campaign say so already.
        if campaign.quality_metric is not None:
            yield ("Quality was not judged: the reference has none on this device. The file may be fast and wrong.",)
        return
    if decision.judgement == "no interval":
        yield (
            "Quality was not judged, since ",
            Name(own.metric),
            " comes without an interval: is",
            *_values(job, reference)[1:],
            " acceptable?",
        )
        return
    lost, worst = loss(own, others), worst_loss(own, others)
    if decision.judgement == "not told apart" and worst is not None and worst > 0:
        samples = "" if own.samples is None else f" of {own.samples:,} samples"
        seen = "No loss" if lost <= 0 else "The loss"
        bound = quality_change(own.metric, worst, own.interval).lstrip("+")
        yield (
            f"{seen} of ",
            Name(own.metric),
            f" was seen{samples}" if lost <= 0 else f" is within the interval{samples}",
            f", but a loss of up to {bound} cannot be ruled out.",
        )


def _control(campaign: Campaign, decision: Decision, medians: ByRound) -> Iterator[Sentence]:
    job, reference = decision.pick, decision.reference
    if decision.outcome != "variant" or job is None or reference is None or job.variant.control is None:
        return
    control = next(
        (
            other
            for other in campaign.jobs_on(job.device)
            if other.variant.name == job.variant.control and (other.threads, other.cores) == (job.threads, job.cores)
        ),
        None,
    )
    if control is None or not control.usable:
        yield (
            "Its control, ",
            Name(job.variant.control),
            ", could not be measured: what training alone does is unknown.",
        )
        return
    against = paired_ratio(medians, job, control, confidence=campaign.confidence)
    if against is not None and not told_apart(campaign, job, control, against):
        yield (
            "Its control ",
            Name(control.variant.name),
            f" is as fast ({ratio(against)}): the speed does not come from compression.",
        )
    if job.quality is None or control.quality is None or reference.quality is None:
        return
    if judge(job, control) == "worse":
        yield (
            "Training alone did better: the control ",
            Name(control.variant.name),
            " has ",
            *_values(control, job),
            ", so compression does cost quality.",
        )
    elif loss(job.quality, reference.quality) < 0 and loss(control.quality, reference.quality) < 0:
        yield (
            "The gain in ",
            Name(job.quality.metric),
            " comes from training, not from compression: the control ",
            Name(control.variant.name),
            f", trained equally longer, has {quality_value(control.quality.metric, control.quality.interval)}.",
        )


def _ties(campaign: Campaign, decision: Decision) -> Iterator[Sentence]:
    if not decision.ties or decision.pick is None:
        return
    names = [(*called(campaign, job), _bracketed(against)) for job, against in decision.ties]
    known = any(against is not None and against.low is not None for _, against in decision.ties)
    yield (
        "Its latency cannot be told apart from that of ",
        *listed(names),
        ": choose among them by quality, size or memory." if known else ": no interval is known.",
    )


def _bracketed(against: Interval | None) -> str:
    return "" if against is None else f" ({ratio(against)})"


def _rounds(campaign: Campaign, decision: Decision) -> Iterator[Sentence]:
    pick = decision.pick
    if pick is None or decision.outcome not in ("variant", "reference"):
        return
    # Where the reference is to be shipped, what counts is how well the others were compared with it.
    others = [job for job in campaign.jobs_on(decision.device) if job.usable and not job.is_reference]
    rounds = min((job.rounds_compared for job in ([pick] if decision.outcome == "variant" else others)), default=None)
    if rounds is not None and rounds < FEW_ROUNDS:
        yield (f"Only {rounds} rounds could be compared: an interval is sound from {FEW_ROUNDS} on.",)


def _rival(campaign: Campaign, decision: Decision) -> Iterator[Sentence]:
    pick, rival, against = decision.pick, decision.rival, decision.against_rival
    if decision.outcome != "variant" or pick is None or rival is None or rival is decision.reference:
        return
    if not told_apart(campaign, pick, rival, against):
        yield ("It cannot be told apart from the reference ", *called(campaign, rival), f"{_bracketed(against)}.")


def _gate(decision: Decision) -> Iterator[Sentence]:
    if decision.pick is not None:
        for warning in decision.pick.variant.warnings:
            yield ("The gate noticed: ", reason(warning))


def _partial(campaign: Campaign, decision: Decision) -> Iterator[Sentence]:
    for job in (decision.pick, None if decision.reference is decision.pick else decision.reference):
        if job is not None and job.status == "partial":
            yield ("Something of ", *called(campaign, job), " is missing: ", reason(job.reason or "no reason is known"))


def _flags(campaign: Campaign, decision: Decision) -> Iterator[Sentence]:
    for job in (decision.pick, None if decision.reference is decision.pick else decision.reference):
        marks = [found for found in job.flags if found.flag in WEIGHTY] if job is not None else []
        if job is not None and marks:
            told = [f"{one.launches} of {job.launches} {one.flag} ({MEANINGS[one.flag]})" for one in marks[:_MARKS]]
            left_out = len(marks) - _MARKS
            more = f"; and {left_out} more {'mark' if left_out == 1 else 'marks'}" if left_out > 0 else ""
            yield ("Launches of ", *called(campaign, job), f" are marked: {'; '.join(told)}{more}.")
