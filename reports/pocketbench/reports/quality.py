"""Whether a variant's quality is worse than its reference's, as far as the evaluation data can tell."""

from __future__ import annotations

from typing import Literal

from pocketbench.reports.campaign import Job, Quality

__all__ = ["Judgement", "judge", "loss", "worst_loss"]

Judgement = Literal["better", "not told apart", "worse", "no interval", "not known"]


def judge(job: Job, other: Job) -> Judgement:
    """Worse where the other's value lies outside the job's interval, on its good side; better likewise.

    Both are evaluated on the same examples, where a variant and its source mostly agree. So their difference varies
    less than two values from different examples would, and this errs on the side of calling a drop a drop.
    """
    own, others = job.quality, other.quality
    if own is None or others is None or own.metric != others.metric:
        return "not known"
    low, high = own.interval.low, own.interval.high
    if low is None or high is None:
        return "no interval"
    if own.interval.value == others.interval.value or low <= others.interval.value <= high:
        return "not told apart"
    return "worse" if loss(own, others) > 0 else "better"


def loss(own: Quality, other: Quality) -> float:
    """How much worse `own` is than `other`, in the metric's unit; negative where it is better."""
    difference = other.interval.value - own.interval.value
    return difference if own.higher_is_better else -difference


def worst_loss(own: Quality, other: Quality) -> float | None:
    """The largest loss that the interval of `own` still allows; None where it has no interval."""
    bound = own.interval.low if own.higher_is_better else own.interval.high
    if bound is None:
        return None
    difference = other.interval.value - bound
    return difference if own.higher_is_better else -difference
