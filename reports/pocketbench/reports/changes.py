"""What shipping a variant instead of the reference wins and costs, measure by measure."""

from __future__ import annotations

from dataclasses import dataclass

from pocketbench.reports.campaign import Interval, Job
from pocketbench.reports.digits import byte_size, quality_change, quality_value, ratio, time_unit
from pocketbench.reports.quality import Judgement, judge, loss

__all__ = ["Change", "changes"]

UNKNOWN = "not known"
_JUDGED: dict[Judgement, str] = {
    "better": "better",
    "not told apart": "not told apart",
    "worse": "worse",
    "no interval": "no interval",
    "not known": UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Change:
    """One measure of two jobs, as text with units; `change` is the ratio or difference."""

    measure: str
    ours: str
    reference: str
    change: str


def changes(job: Job, reference: Job) -> tuple[Change, ...]:
    """Latency, quality, sizes, memory and cold start of `job` against `reference`; what neither knows is left out."""
    rows = [_latency(job, reference), _quality(job, reference)]
    rows += [
        _bytes("File size", job.variant.size_bytes, reference.variant.size_bytes),
        _bytes("Download (gzip)", job.variant.size_gzip_bytes, reference.variant.size_gzip_bytes),
        _bytes("Peak memory", job.peak_memory_bytes, reference.peak_memory_bytes),
        _cold_start(job, reference),
    ]
    return tuple(row for row in rows if row is not None)


def _latency(job: Job, reference: Job) -> Change | None:
    if job.latency is None or reference.latency is None:
        return None
    unit = time_unit([job.latency.value, reference.latency.value])
    ours, theirs = (f"{unit.interval(estimate)} {unit.name}" for estimate in (job.latency, reference.latency))
    return Change("Latency", ours, theirs, ratio(job.ratio) if job.ratio else UNKNOWN)


def _quality(job: Job, reference: Job) -> Change | None:
    own, others = job.quality, reference.quality
    if own is None and others is None:
        return None
    metric = own.metric if own else others.metric if others else ""
    ours, theirs = (quality_value(q.metric, q.interval) if q else UNKNOWN for q in (own, others))
    if own is None or others is None or own.metric != others.metric:
        return Change(metric, ours, theirs, UNKNOWN)
    difference = -loss(own, others) if own.higher_is_better else loss(own, others)
    return Change(
        metric, ours, theirs, f"{quality_change(metric, difference, own.interval)}, {_JUDGED[judge(job, reference)]}"
    )


def _bytes(measure: str, own: float | None, others: float | None) -> Change | None:
    if own is None and others is None:
        return None
    ours, theirs = (UNKNOWN if size is None else byte_size(size) for size in (own, others))
    return Change(measure, ours, theirs, _plain_ratio(own, others))


def _cold_start(job: Job, reference: Job) -> Change | None:
    own, others = job.cold_start_ns, reference.cold_start_ns
    if own is None or others is None:
        return None
    unit = time_unit([own, others])
    ours, theirs = (f"{unit.value(time_ns)} {unit.name}" for time_ns in (own, others))
    return Change("Cold start", ours, theirs, _plain_ratio(own, others))


def _plain_ratio(own: float | None, others: float | None) -> str:
    """Of two figures that have no interval."""
    return ratio(Interval(own / others, None, None)) if own is not None and others else UNKNOWN
