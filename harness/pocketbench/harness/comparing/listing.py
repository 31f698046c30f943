"""A comparison as rows to print and as plain data for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pocketbench.harness.comparing.change import LatencyChange, NotCompared, QualityChange, SizeChange
from pocketbench.harness.comparing.comparison import ComparedCampaigns, ComparedJob
from pocketbench.harness.comparing.facts import Measured
from pocketbench.harness.comparing.gate import Judged
from pocketbench.harness.comparing.wording import change_text, job_text
from pocketbench.reports.campaign import Interval
from pocketbench.reports.digits import ratio
from pocketbench.reports.names import Name, reason

__all__ = [
    "CONDITION_COLUMNS",
    "JOB_COLUMNS",
    "LIMIT_COLUMNS",
    "as_data",
    "condition_rows",
    "filled",
    "job_rows",
    "limit_rows",
    "worst_outcome",
]

JOB_COLUMNS = (
    *(
        "variant",
        "device",
        "threads",
        "cores",
        "accelerator",
        "ratio_in_A",
        "ratio_in_B",
        "latency",
        "verdict",
        "size",
        "quality",
    ),
    "not_compared",
)
CONDITION_COLUMNS = ("condition", "A", "B", "comparison", "jobs")
LIMIT_COLUMNS = ("outcome", "limit", "job", "change", "reason")
_MOST_LISTED = 3


def job_rows(compared: ComparedCampaigns) -> list[dict[str, Any]]:
    """A row per job."""
    return [_job_row(job) for job in compared.jobs]


def condition_rows(compared: ComparedCampaigns) -> list[dict[str, Any]]:
    """A row per condition and pair of values that differ, with the jobs that it is so for; what refuses first."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    pairs = [job for job in compared.jobs if job.before is not None and job.after is not None]
    for job in pairs:
        for one in job.different:
            does = "marked" if one.refuses is None else f"{one.refuses} refused"
            found.setdefault((one.key, one.before, one.after, does), []).append(job_text(job))
    rows = [
        {
            "condition": key,
            "A": before,
            "B": after,
            "comparison": does,
            "jobs": "all" if len(jobs) == len(pairs) else _some(jobs),
        }
        for (key, before, after, does), jobs in found.items()
    ]
    return sorted(rows, key=lambda row: row["comparison"] == "marked")


def _some(jobs: Sequence[str]) -> str:
    more = f" and {len(jobs) - _MOST_LISTED} more" if len(jobs) > _MOST_LISTED else ""
    return "; ".join(jobs[:_MOST_LISTED]) + more


def filled(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns in which any row says something."""
    return [column for column in columns if any(row.get(column) is not None for row in rows)]


def limit_rows(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """A row per limit and job: what fails first, then what cannot be said."""
    order = ("fails", "cannot say", "holds")
    return [
        {
            "outcome": one.outcome,
            "limit": str(one.limit),
            "job": job_text(one.compared),
            "change": None if one.change is None else change_text(one.change),
            "reason": None if one.reason is None else reason(one.reason).short,
        }
        for one in sorted(judged, key=lambda one: order.index(one.outcome))
    ]


def worst_outcome(judged: Sequence[Judged]) -> str | None:
    """Of all of them; None where there is none."""
    outcomes = {one.outcome for one in judged}
    return next((one for one in ("fails", "cannot say", "holds") if one in outcomes), None)


def as_data(compared: ComparedCampaigns, judged: Sequence[Judged]) -> dict[str, Any]:
    """All of it, every figure unrounded, as `--json` prints it."""
    return {
        "a": _campaign(compared.before),
        "b": _campaign(compared.after),
        "notes": list(compared.notes),
        "jobs": [_job(job) for job in compared.jobs],
        "limits": limit_rows(judged),
        "outcome": worst_outcome(judged),
    }


def _campaign(measured: Measured) -> dict[str, Any]:
    campaign = measured.campaign
    return {
        "campaign_id": measured.campaign_id,
        "name": campaign.name,
        "status": campaign.status,
        "started_at": measured.started_at,
        "confidence": campaign.confidence,
    }


def _job_row(compared: ComparedJob) -> dict[str, Any]:
    job, latency = compared.job, compared.latency
    is_reference = compared.before is not None and compared.after is not None and job.is_reference
    measured = latency if isinstance(latency, LatencyChange) else None
    return {
        "variant": Name(job.variant.name).short,
        "device": Name(job.device).short,
        "threads": job.threads,
        "cores": None if job.cores is None else Name(job.cores, 24).short,
        "accelerator": None if job.accelerator in (None, "cpu") else Name(str(job.accelerator), 16).short,
        "ratio_in_A": ratio(measured.before) if measured else "reference" if is_reference else None,
        "ratio_in_B": ratio(measured.after) if measured else "reference" if is_reference else None,
        "latency": change_text(latency),
        "verdict": measured.comparison.verdict if measured else None,
        "size": change_text(compared.size),
        "quality": change_text(compared.quality),
        "not_compared": None if is_reference and compared.is_compared else _why_not(compared),
    }


def _why_not(compared: ComparedJob) -> str | None:
    """Each reason once, with what it is for unless it is for everything."""
    parts = {"latency": compared.latency, "size": compared.size, "quality": compared.quality}
    missing = {name: one.reason for name, one in parts.items() if isinstance(one, NotCompared)}
    if len(missing) == len(parts) and len(set(missing.values())) == 1:
        return reason(next(iter(missing.values()))).short
    # Without evaluation data nobody asked for quality.
    if all(job is None or job.quality is None for job in (compared.before, compared.after)):
        missing.pop("quality", None)
    return reason("; ".join(f"{name}: {why}" for name, why in missing.items())).short if missing else None


def _job(compared: ComparedJob) -> dict[str, Any]:
    job = compared.job
    return {
        "variant": job.variant.name,
        "device": job.device,
        "threads": job.threads,
        "cores": job.cores,
        "accelerator": job.accelerator,
        "in_a": compared.before is not None,
        "in_b": compared.after is not None,
        "broken": compared.broken,
        "conditions": [asdict(one) for one in compared.different],
        "latency": _latency(compared.latency),
        "size": _size(compared.size),
        "quality": _quality(compared.quality),
    }


def _latency(change: LatencyChange | NotCompared) -> dict[str, Any]:
    if isinstance(change, NotCompared):
        return {"not_compared": change.reason}
    return {
        "ratio": change.ratio.value,
        "low": change.ratio.low,
        "high": change.ratio.high,
        "confidence": change.ratio.confidence,
        "noise_log_ratio": change.noise,
        "verdict": change.comparison.verdict,
        "verdict_reason": change.comparison.reason,
        "in_a": asdict(change.before) | {"rounds": change.rounds[0]},
        "in_b": asdict(change.after) | {"rounds": change.rounds[1]},
    }


def _size(change: SizeChange | NotCompared) -> dict[str, Any]:
    if isinstance(change, NotCompared):
        return {"not_compared": change.reason}
    return {"ratio": change.ratio, "in_a_bytes": change.before_bytes, "in_b_bytes": change.after_bytes}


def _quality(change: QualityChange | NotCompared) -> dict[str, Any]:
    if isinstance(change, NotCompared):
        return {"not_compared": change.reason}
    gain: Interval = change.gain
    return {
        "metric": change.after.metric,
        "gain": gain.value,
        "low": gain.low,
        "high": gain.high,
        "verdict": change.judgement,
        "in_a": change.before.interval.value,
        "in_b": change.after.interval.value,
    }
