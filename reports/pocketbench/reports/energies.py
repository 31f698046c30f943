"""Energy of an inference of each job, by sensor: one value a launch, as with latency."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from pocketbench.reports.campaign import Campaign, Interval
from pocketbench.reports.intervals import arithmetic_mean, geometric_mean
from pocketbench.reports.paired import ByRound
from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.values import count, identifier, number, text

__all__ = ["Energy", "Idle", "Meter", "energies", "idle_powers"]

Row = dict[Hashable, Any]


@dataclass(frozen=True, slots=True)
class Energy:
    """Of one job by one sensor. `gross` and `net` are mJ of an inference, `power_mw` the median mean power of launches;
    `flags` and `reasons` (why a figure is not known) with the number of launches that have them."""

    launches: int
    gross: Interval | None
    net: Interval | None
    power_mw: float | None
    idle_mw: float | None
    flags: Counter[str]
    reasons: Counter[str]


@dataclass(frozen=True, slots=True)
class Meter:
    """One sensor of power on one device, by job. `by_round` are the gross energies in mJ."""

    device: str
    sensor: str
    boundary: str
    jobs: dict[str, Energy]
    by_round: ByRound


@dataclass(frozen=True, slots=True)
class Idle:
    """What a device takes with nothing to do, in mW over the rounds; None where no round says."""

    device: str
    sensor: str
    power: Interval | None
    lowest_mw: float | None
    highest_mw: float | None
    reasons: Counter[str]


@dataclass(slots=True)
class _Gathered:
    rows: dict[str, list[Row]] = field(default_factory=dict)
    by_round: dict[str, dict[int, float]] = field(default_factory=dict)


def energies(campaign: Campaign, tables: CampaignTables) -> tuple[Meter, ...]:
    """Of the launches that count; devices in their order, sensors as they come."""
    good = tables.launches[tables.launches["status"] == "ok"]
    launches = {
        identifier(launch): (identifier(job) or "unnamed", count(number_of_round))
        for launch, job, number_of_round in zip(good["launch_id"], good["job_id"], good["round"], strict=True)
    }
    devices = {job.job_id: job.device for job in (*campaign.jobs, *campaign.copies)}
    found: dict[tuple[str, str, str], _Gathered] = {}
    for row in tables.energies.to_dict(orient="records"):
        job_id, number_of_round = launches.get(identifier(row["launch_id"]), (None, None))
        if job_id not in devices:
            continue
        key = devices[job_id], text(row["sensor"]) or "unnamed", text(row["boundary"]) or "boundary not known"
        gathered = found.setdefault(key, _Gathered())
        gathered.rows.setdefault(job_id, []).append(row)
        gross_mj = number(row["gross_mj"])
        if number_of_round is not None and gross_mj is not None and gross_mj > 0:
            gathered.by_round.setdefault(job_id, {})[number_of_round] = gross_mj
    order = {device: position for position, device in enumerate(campaign.devices)}
    return tuple(
        Meter(*key, {job_id: _energy(rows, campaign.confidence) for job_id, rows in one.rows.items()}, one.by_round)
        for key, one in sorted(found.items(), key=lambda item: order[item[0][0]])
    )


def _energy(rows: list[Row], confidence: float) -> Energy:
    gross = [value for row in rows if (value := number(row["gross_mj"])) is not None and value > 0]
    return Energy(
        launches=len(rows),
        gross=geometric_mean(gross, confidence),
        net=arithmetic_mean(_known(rows, "net_mj"), confidence),
        power_mw=_median(rows, "power_mw"),
        idle_mw=_median(rows, "idle_mw"),
        flags=Counter(flag for row in rows for flag in set((text(row["flags"]) or "").split())),
        reasons=_reasons(rows),
    )


def idle_powers(campaign: Campaign, tables: CampaignTables) -> tuple[Idle, ...]:
    """By device and sensor."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in tables.idle_launches.to_dict(orient="records"):
        key = identifier(row["device"]) or "unnamed", text(row["sensor"]) or "unnamed"
        found.setdefault(key, []).append(row)
    idles = []
    for key, rows in found.items():
        known = _known(rows, "power_mw")
        power = arithmetic_mean(known, campaign.confidence)
        idles.append(Idle(*key, power, min(known, default=None), max(known, default=None), _reasons(rows)))
    return tuple(idles)


def _reasons(rows: list[Row]) -> Counter[str]:
    return Counter(why for row in rows if (why := text(row["reason"])))


def _median(rows: list[Row], column: str) -> float | None:
    known = _known(rows, column)
    return statistics.median(known) if known else None


def _known(rows: list[Row], column: str) -> list[float]:
    return [value for row in rows if (value := number(row[column])) is not None]
