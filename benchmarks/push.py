"""Is a deployment as fast as what a user would copy files with?

`python -m benchmarks.push [--quick] [--json FILE]` brings 100 MB of random bytes in one file, and 500 small files, to a
board over SSH (scp, rsync) and to a phone over ADB (adb push --sync), both of them emulated on loopback: first into an
empty folder, then the same again. In each round every way has its turn, in random order. Every time counts connecting;
for the others also the start of the program, which our caller, a campaign, has behind it. Ours hashes on the device,
and waits until all is on the disk; rsync hashes; scp and adb push do neither. Rows are the ratios of our time to theirs
in the same round: geometric mean with its 95 % t interval.

Loopback says nothing of a real cable or card, and random bytes keep compression out: what is compared is the work.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.outcome import Goal, Row, print_goals, print_table, versions, write_json
from benchmarks.push_ways import OURS, Link, links
from pocketbench.harness.measure.statistics import paired_ratio

__all__ = ["main"]

SEED = 0
LARGE_BYTES = 100_000_000
SMALL_FILES = 500
SMALL_BYTES = 2_000, 20_000
UNCHANGED_S = 0.3
FIRST, UNCHANGED = "first", "unchanged"
_ROUND_TRIPS = 20

# Seconds by round, of a way in a case.
Times = Mapping[str, dict[int, float]]


def make_cases(folder: Path) -> dict[str, Path]:
    """A folder of files for each case."""
    rng = random.Random(SEED)
    large, small = folder / "large", folder / "small"
    large.mkdir()
    (large / "model").write_bytes(rng.randbytes(LARGE_BYTES))
    small.mkdir()
    for number in range(SMALL_FILES):
        (small / f"file-{number}").write_bytes(rng.randbytes(rng.randint(*SMALL_BYTES)))
    return {f"{LARGE_BYTES / 1e6:g} MB": large, f"{SMALL_FILES} files": small}


def measure(link: Link, cases: Mapping[str, Path], rounds: int) -> list[Row]:
    """Every way of every case once a round, first and unchanged."""
    rng = random.Random(SEED)
    times: dict[tuple[str, str], dict[str, dict[int, float]]] = {}
    for number in range(rounds):
        for case in rng.sample(sorted(cases), len(cases)):
            for way in rng.sample(sorted(link.ways), len(link.ways)):
                print(f"\r{link.name} round {number + 1}/{rounds}, {case} by {way}   ", end="", file=sys.stderr)
                with tempfile.TemporaryDirectory(prefix="pocketbench-target-") as target:
                    place = Path(target) / "ours"
                    if way != OURS and way != "scp":
                        place.mkdir()  # scp makes it, and would copy into it
                    for run in (FIRST, UNCHANGED):
                        if run == UNCHANGED and way == "scp":
                            shutil.rmtree(place)
                        began = time.perf_counter()
                        link.ways[way](cases[case], place)
                        elapsed = time.perf_counter() - began
                        times.setdefault((case, run), {}).setdefault(way, {})[number] = elapsed
    print(file=sys.stderr)
    trip = round_trip_s(link)
    return [row for (case, run), of_case in times.items() for row in rows_of(link.name, case, run, of_case, trip)]


def round_trip_s(link: Link) -> float:
    """Median time of a command that does nothing, on a connection that stands."""
    with link.connect() as transport:
        transport.run(["true"], timeout_s=60)
        return statistics.median(transport.run(["true"], timeout_s=60).duration_s for _ in range(_ROUND_TRIPS))


def rows_of(link: str, case: str, run: str, times: Times, trip_s: float) -> list[Row]:
    """One row for each other way."""
    rows: list[Row] = []
    for way in sorted(times.keys() - {OURS}):
        ratio = paired_ratio(times[OURS], times[way])
        assert ratio is not None, "both ways have every round"
        rows.append(
            {
                "link": link,
                "case": case,
                "run": run,
                "against": way,
                "ours_s": statistics.median(times[OURS].values()),
                "theirs_s": statistics.median(times[way].values()),
                "ratio": ratio.value,
                "ratio_low": ratio.low,
                "ratio_high": ratio.high,
                "rounds": ratio.count,
                "round_trip_s": trip_s,
            }
        )
    return rows


def judge(rows: list[Row]) -> list[Goal]:
    """At least as fast as the fastest of them first, and next to nothing where nothing changed."""
    first = [_number(row, "ratio") for row in rows if row["run"] == FIRST]
    beyond = [_number(row, "ratio_low") for row in rows if row["run"] == FIRST and row["ratio_low"] is not None]
    unchanged = [_number(row, "ours_s") - _number(row, "round_trip_s") for row in rows if row["run"] == UNCHANGED]
    return [
        _at_most("first: largest ratio to another way", first, 1),
        _at_most("the same, beyond doubt: largest lower end of an interval", beyond, 1),
        _at_most("unchanged: longest time in seconds without one round trip", unchanged, UNCHANGED_S),
    ]


def _at_most(name: str, values: list[float], limit: float) -> Goal:
    worst = max(values, default=None)
    return Goal(name, f"<= {limit:g}", worst, worst is not None and worst <= limit)


def _number(row: Row, key: str) -> float:
    value = row[key]
    assert isinstance(value, float | int), f"{key} is measured, or there is no row"
    return float(value)


def main() -> None:
    """Parse the command line, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="three rounds: within a minute")
    parser.add_argument("--json", type=Path, help="write rows, goals, versions and machine to this file")
    arguments = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="pocketbench-push-") as folder, links() as devices:
        cases = make_cases(Path(folder))
        for link in devices:
            for missing in link.missing:
                print(f"missing: {missing}")
            rows += measure(link, cases, 3 if arguments.quick else 15)
    goals = judge(rows)
    print_table(rows)
    print_goals(goals)
    if arguments.json:
        write_json(arguments.json, rows, goals, versions("paramiko", "adb-shell", "adbutils"))


if __name__ == "__main__":
    main()
