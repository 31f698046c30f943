"""How precise the ratios of each device were to be, whether they are, and what it would take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pocketbench.reports.campaign import Campaign, Job
from pocketbench.reports.digits import duration, significant
from pocketbench.reports.names import Name, Sentence
from pocketbench.reports.naming import called
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.values import count, identifier, number, text

__all__ = ["Precision", "Unreached", "precision_words", "precisions"]

_MOST_JOBS = 1000


@dataclass(frozen=True, slots=True)
class Unreached:
    """A job whose ratio is less precise than asked for. `job` is as the campaign called it; others None if unknown."""

    job: str
    half_width: float | None
    rounds_needed: int | None
    seconds_needed: float | None


@dataclass(frozen=True, slots=True)
class Precision:
    """Of one device: why its rounds ended (reached, rounds, time; None before), and what is missing."""

    ended: str | None
    unreached: tuple[Unreached, ...]


def precisions(tables: CampaignTables) -> dict[str, Precision]:
    """By device; lists of another form are read as empty."""
    columns = (tables.devices[column] for column in ("device", "rounds_ended", "unreached"))
    return {
        identifier(device) or "unnamed": Precision(text(ended), _unreached(text(cell)))
        for device, ended, cell in zip(*columns, strict=True)
    }


def precision_words(campaign: Campaign, device: str, found: Precision) -> Iterator[Sentence]:
    """What was asked for, whether it was reached, and of each job what it would take."""
    if campaign.precision is None:
        yield ("A fixed number of rounds was asked for, not a precision.",)
        return
    asked = f"Asked for: intervals of ±{significant(100 * campaign.precision, 2)} %"
    if campaign.budget_s is not None:
        asked += f" within {duration(campaign.budget_s)}"
    ended = "reached" if found.ended and not found.unreached else found.ended
    yield (f"{asked}. {_ENDED.get(ended or '', 'The rounds have not ended.')}",)
    for missing in found.unreached:
        yield (*_job_words(campaign, device, missing.job), f": {_missing(missing)}.")


_ENDED = {
    "reached": "Reached: every ratio is as precise as that.",
    "rounds": "Not reached with the most rounds that there are.",
    "time": "Not reached in the time allowed.",
}


def _missing(missing: Unreached) -> str:
    width = missing.half_width
    is_at = "it has no interval" if width is None else f"it is at ±{significant(100 * width, 2)} %"
    if missing.rounds_needed is None:
        return f"{is_at}, and how many rounds it would take cannot be told"
    takes = f"{missing.rounds_needed:,} rounds in all"
    if missing.seconds_needed is not None:
        takes += f", {duration(missing.seconds_needed)} more at the cost so far"
    return f"{is_at}; it would take about {takes}"


def _job_words(campaign: Campaign, device: str, key: str) -> Sentence:
    found = [job for job in (*campaign.jobs, *campaign.copies) if job.device == device and job.job_id == key]
    return _named(campaign, found[0]) if found else (Name(key, 80),)


def _named(campaign: Campaign, job: Job) -> Sentence:
    copy = any(job is other for other in campaign.copies)
    return (*(("The A/A copy of ",) if copy else ()), *called(campaign, job))


def _unreached(cell: str | None) -> tuple[Unreached, ...]:
    try:
        entries = json.loads(cell or "[]")
    except (ValueError, RecursionError):
        return ()
    found = entries if isinstance(entries, list) else []
    return tuple(_one(entry) for entry in found[:_MOST_JOBS] if isinstance(entry, dict))


def _one(entry: dict[str, Any]) -> Unreached:
    rounds, seconds = count(entry.get("rounds_needed")), number(entry.get("seconds_needed"))
    return Unreached(str(entry.get("job") or "unnamed"), number(entry.get("half_width")), rounds, seconds)
