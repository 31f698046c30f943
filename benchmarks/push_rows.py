"""What benchmarks/push.py found: a row for each way beside ours, and the goals, for each link by itself."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from benchmarks.outcome import Goal, Row
from benchmarks.push_ways import OURS
from pocketbench.harness.measure.statistics import paired_ratio

__all__ = ["FIRST", "UNCHANGED", "Overheads", "Series", "Times", "judge", "rows_of"]

FIRST, UNCHANGED = "first", "unchanged"
UNCHANGED_S = 0.3

# Seconds by round.
Times = dict[int, float]


@dataclass(frozen=True, slots=True)
class Series:
    """What one way took for one case, first or unchanged; and what it left undone, where it was the first time."""

    taken_s: Times = field(default_factory=dict)
    disk_s: Times = field(default_factory=dict)
    hash_s: Times = field(default_factory=dict)

    def alike_s(self) -> Times:
        """With what was left undone."""
        return {
            number: taken + max(self.disk_s[number], self.hash_s.get(number, 0.0))
            for number, taken in self.taken_s.items()
            if number in self.disk_s
        }


@dataclass(frozen=True, slots=True)
class Overheads:
    """Median seconds of a link that no way can avoid, or that its rows leave out."""

    round_trip_s: float
    connect_s: float


def rows_of(
    link: str, case: str, run: str, series: Mapping[str, Series], overheads: Overheads, sources_s: float
) -> list[Row]:
    """One row for each other way."""
    rows: list[Row] = []
    ours = series[OURS].taken_s
    for way in sorted(series.keys() - {OURS}):
        theirs = series[way]
        ratio, alike = paired_ratio(ours, theirs.taken_s), paired_ratio(ours, theirs.alike_s())
        assert ratio is not None, "both ways have every round"
        rows.append(
            {
                "link": link,
                "case": case,
                "run": run,
                "against": way,
                "ours_s": statistics.median(ours.values()),
                "theirs_s": statistics.median(theirs.taken_s.values()),
                "ours_best_s": min(ours.values()),
                "theirs_best_s": min(theirs.taken_s.values()),
                "ratio": ratio.value,
                "ratio_low": ratio.low,
                "ratio_high": ratio.high,
                "disk_s": _median(theirs.disk_s),
                "hash_s": _median(theirs.hash_s),
                "alike": alike.value if alike else None,
                "rounds": ratio.count,
                "source_s": sources_s,
                **asdict(overheads),
            }
        )
    return rows


def judge(rows: list[Row]) -> list[Goal]:
    """For each link: at least as fast as the fastest of them first, and next to nothing where nothing changed."""
    return [goal for link in dict.fromkeys(str(row["link"]) for row in rows) for goal in _judge_link(link, rows)]


def _judge_link(link: str, rows: list[Row]) -> list[Goal]:
    of_link = [row for row in rows if row["link"] == link]
    first = [row for row in of_link if row["run"] == FIRST]
    unchanged = [_number(row, "ours_s") - _number(row, "round_trip_s") for row in of_link if row["run"] == UNCHANGED]
    beyond = [_number(row, "ratio_low") for row in first if row["ratio_low"] is not None]
    return [
        _at_most(f"{link}, first: largest ratio to another way", [_number(row, "ratio") for row in first], 1),
        _at_most("    beyond doubt: largest lower end of an interval", beyond, 1),
        _at_most("    the others with hash and disk: largest ratio", [_number(row, "alike") for row in first], 1),
        _at_most(f"{link}, unchanged: longest time in seconds without one round trip", unchanged, UNCHANGED_S),
    ]


def _median(times: Times) -> float | None:
    return statistics.median(times.values()) if times else None


def _at_most(name: str, values: list[float], limit: float) -> Goal:
    worst = max(values, default=None)
    return Goal(name, f"<= {limit:g}", worst, worst is not None and worst <= limit)


def _number(row: Row, key: str) -> float:
    value = row[key]
    assert isinstance(value, float | int), f"{key} is measured, or there is no row"
    return float(value)
