"""Do the intervals hold, and is found what is there? Simulation with known truth, beside what people do instead.

`python -m benchmarks.statistics [--quick] [--json FILE] [--page FILE]` runs the code that campaigns are analysed with
on made-up launches of devices whose truth is known. `--page docs/statistics.md` writes the page of the manual.
The full one takes about 75 s of processor time.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.outcome import Goal, Row, print_goals, print_table, versions, write_json
from benchmarks.statistics_campaigns import LIMITS, SCENARIOS, Scenario, protocol, usual_ways
from benchmarks.statistics_launches import SHAPES, drift_row, interval_row, mode_row, warmup_row
from benchmarks.statistics_looks import SPREADS, looks_row
from benchmarks.statistics_page import page

__all__ = ["judge", "main", "simulate"]

CAMPAIGNS, QUICK_CAMPAIGNS = 4000, 250
LAUNCHES, QUICK_LAUNCHES = 1000, 100
SEED = 20_261
# Correlation of neighbouring iterations: none, as on a busy phone, and more than was ever seen there.
_CORRELATIONS = (0.0, 0.5, 0.8)
_USUAL_SHARE = 4

Tables = Mapping[str, Sequence[Row]]


def simulate(campaigns: int, launches: int) -> dict[str, list[Row]]:
    """All tables; the same numbers give the same tables."""
    return {
        "campaigns": [_campaign_row(scenario, campaigns, SEED + number) for number, scenario in enumerate(SCENARIOS)],
        "limits": [_limit_row(scenario, campaigns, SEED - 1 - number) for number, scenario in enumerate(LIMITS)],
        "looks": [looks_row(spread, campaigns, SEED) for spread in SPREADS],
        "drift": [drift_row(shape, value, launches, SEED) for value in _CORRELATIONS for shape in SHAPES],
        "warm-up": [warmup_row(value, launches, SEED) for value in _CORRELATIONS],
        "speeds": [mode_row(count, value, launches, SEED) for count in (100, 300) for value in (0.0, 0.5, 0.9)],
        "intervals": [interval_row(value, 4 * launches, SEED) for value in (0.0, 0.3, 0.6, 0.9)],
    }


def _campaign_row(scenario: Scenario, campaigns: int, seed: int) -> Row:
    found = protocol(scenario, campaigns, seed)
    return {
        "device": scenario.name,
        "rounds": found.rounds,
        "coverage": found.coverage,
        "false_differences": found.false_differences,
        "found_3_percent": found.found,
        **usual_ways(scenario, max(campaigns // _USUAL_SHARE, 1), seed),
    }


def _limit_row(scenario: Scenario, campaigns: int, seed: int) -> Row:
    found = protocol(scenario, campaigns, seed)
    return {
        "device": scenario.name,
        "rounds": found.rounds,
        "coverage": found.coverage,
        "coverage_5_rounds": found.first_look_coverage,
        "false_differences": found.false_differences,
        "found_3_percent": found.found,
    }


def judge(tables: Tables, campaigns: int, launches: int) -> list[Goal]:
    """The goals of the protocol; shares of campaigns or launches. What chance explains is not held against one."""
    rows = (*tables["campaigns"], *tables["looks"])
    lowest, highest = (choose(_share(row, "coverage") for row in rows) for choose in (min, max))
    false = max(_share(row, "false_differences") for row in tables["campaigns"])
    error, launch_error = _error(campaigns), _error(launches)
    goals = [
        Goal("lowest coverage of the intervals", ">= 0.93", lowest, lowest >= 0.93 - error),
        Goal("highest coverage of the intervals", "<= 0.97", highest, highest <= 0.97 + error),
        Goal("most false differences of equal variants", "<= 0.05", false, false <= 0.05 + error),
    ]
    # The rates that the protocol states, of 300 iterations with a lag-1 correlation of 0.5.
    rates = {row["launch"]: _share(row, "drift_found") for row in tables["drift"] if row["lag_1_correlation"] == 0.5}
    for shape, least in {"ramp of 2.6 %": 0.4, "ramp of 4.3 %": 0.88, "ramp of 8.6 %": 0.99}.items():
        goals.append(Goal(f"found: {shape}", f">= {least}", rates[shape], rates[shape] >= least))
    steady = rates["steady"]
    goals.append(Goal("steady launches called drifting", "<= 0.05", steady, steady <= 0.05 + launch_error))
    left = max(_share(row, "mean_left") for row in tables["warm-up"])
    goals.append(Goal("left of the decay after the warm-up", "<= 0.01", left, left <= 0.01))
    return goals


def _error(count: int) -> float:
    """What a share of about 5 % may be off by in so many draws: 99 of 100 are off by less."""
    return 2.576 * math.sqrt(0.05 * 0.95 / count)


def _share(row: Row, key: str) -> float:
    value = row[key]
    assert isinstance(value, float)
    return value


def main() -> None:
    """Simulate, print, judge, write."""
    parser = argparse.ArgumentParser(description="Do the intervals hold, and is found what is there?")
    parser.add_argument("--quick", action="store_true", help="fewer campaigns: seconds, shares to within a few points")
    parser.add_argument("--json", type=Path, help="write everything here")
    parser.add_argument("--page", type=Path, help="write the page of the manual here")
    options = parser.parse_args()

    sizes = (QUICK_CAMPAIGNS, QUICK_LAUNCHES) if options.quick else (CAMPAIGNS, LAUNCHES)
    tables = simulate(*sizes)
    for name, rows in tables.items():
        print(f"\n{name}")
        print_table(rows)
    goals = judge(tables, *sizes)
    print_goals(goals)
    if options.json:
        rows = [{"table": name, **row} for name, table in tables.items() for row in table]
        write_json(options.json, rows, goals, versions("numpy", "scipy"))
    if options.page:
        options.page.write_text(page(tables, goals, *sizes), encoding="utf-8")


if __name__ == "__main__":
    main()
