"""What the launches of each job say beside their median: percentiles, drift, correlation, throttling, what broke."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from pocketbench.reports.tables import CampaignTables
from pocketbench.reports.values import count, flag, identifier, number, text

__all__ = [
    "FULL_SPEED_SHARE",
    "P90_FLOOR",
    "P99_FLOOR",
    "InvalidLaunch",
    "LaunchFacts",
    "Signs",
    "invalid_launches",
    "launch_facts",
    "signs",
]

# Less time than that at the expected frequency is a sign of throttling (docs/measurement.md).
FULL_SPEED_SHARE = 0.95
# Iterations of a launch from which on a percentile is stated (MLPerf LoadGen).
P90_FLOOR, P99_FLOOR = 64, 662
Row = dict[Hashable, Any]


@dataclass(frozen=True, slots=True)
class Signs:
    """The three signs of throttling in one launch; None where it cannot be said."""

    declared: bool | None
    frequency: bool | None
    drift: bool

    @property
    def words(self) -> tuple[str, ...]:
        """Those that were there."""
        found = {"declared": self.declared, "frequency fell": self.frequency, "latency rose": self.drift}
        return tuple(word for word, is_there in found.items() if is_there)


@dataclass(frozen=True, slots=True)
class LaunchFacts:
    """Of one job. Figures are medians over its launches that count, `temperature_max_c` is the highest; None where
    no launch says. `throttled` is how many of them show each sign, `status` how many launches there are of each."""

    status: Counter[str]
    iterations: float | None
    p90_ns: float | None
    p99_ns: float | None
    throughput_per_s: float | None
    last_minute_ratio: float | None
    drift: float | None
    lag1: float | None
    effective_iterations: float | None
    temperature_start_c: float | None
    temperature_max_c: float | None
    throttled: Counter[str]


@dataclass(frozen=True, slots=True)
class InvalidLaunch:
    """A launch that does not count, and the rules that it broke."""

    job_id: str
    round: int | None
    attempt: int | None
    reasons: tuple[str, ...]


def launch_facts(tables: CampaignTables) -> dict[str, LaunchFacts]:
    """By job."""
    launches: dict[str, list[Row]] = {}
    for row in tables.launches.to_dict(orient="records"):
        launches.setdefault(identifier(row["job_id"]) or "unnamed", []).append(row)
    return {job_id: _facts(rows) for job_id, rows in launches.items()}


def invalid_launches(tables: CampaignTables) -> tuple[InvalidLaunch, ...]:
    """In the order of the table."""
    rows = tables.launches[tables.launches["status"] == "invalid"].to_dict(orient="records")
    return tuple(
        InvalidLaunch(
            identifier(row["job_id"]) or "unnamed",
            count(row["round"]),
            count(row["attempt"]),
            tuple((text(row["reason"]) or "").split()),
        )
        for row in rows
    )


def signs(row: Row) -> Signs:
    """Of one row of the table of launches."""
    share = number(row["frequency_share"])
    drifts = "drift_slower" in (text(row["flags"]) or "").split()
    return Signs(flag(row["declared_throttling"]), None if share is None else share < FULL_SPEED_SHARE, drifts)


def _facts(rows: list[Row]) -> LaunchFacts:
    good = [row for row in rows if text(row["status"]) == "ok"]
    temperatures = _known(good, "temperature_max_c")
    return LaunchFacts(
        status=Counter(text(row["status"]) or "unknown" for row in rows),
        iterations=_median(good, "iterations"),
        p90_ns=_median(good, "latency_p90_ns"),
        p99_ns=_median(good, "latency_p99_ns"),
        throughput_per_s=_median(good, "throughput_per_s"),
        last_minute_ratio=_median(good, "last_minute_ratio"),
        drift=_median(good, "drift_ramp"),
        lag1=_median(good, "lag1"),
        effective_iterations=_median(good, "effective_iterations"),
        temperature_start_c=_median(good, "temperature_start_c"),
        temperature_max_c=max(temperatures, default=None),
        throttled=Counter(word for row in good for word in signs(row).words),
    )


def _median(rows: Sequence[Row], column: str) -> float | None:
    known = _known(rows, column)
    return statistics.median(known) if known else None


def _known(rows: Sequence[Row], column: str) -> list[float]:
    return [value for row in rows if (value := number(row[column])) is not None]
