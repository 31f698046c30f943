"""Is a deployment as fast as what a user would copy files with?

`python -m benchmarks.push [--quick] [--json FILE]` brings 100 MB of random bytes in one file, and 500 small files, to a
board over SSH (scp, rsync) and to a phone over ADB (adb push --sync), both of them emulated on loopback: first into an
empty folder, then the same again. In each round every way has its turn, in random order. Over SSH every time counts
connecting; over ADB none does (`connect_s`, once for each connection of ours). Theirs count the start of a program,
which our caller, a campaign, has behind it; ours hashes the files here before (`source_s`, once for each file).

Ours hashes on the device, and waits until all is on the disk. rsync hashes; scp and adb push do neither. So after each
first time of theirs, what they brought is written to the disk (`disk_s`) and, but for rsync, hashed there (`hash_s`).
Rows have the ratio of our time to theirs in the same round, geometric mean with its 95 % t interval, and `alike`: the
same ratio with the longer of the two shares added to theirs, as if both were done at once.

Loopback says nothing of a real cable or card, and random bytes keep compression out: what is compared is the work.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.outcome import Goal, Row, print_goals, print_table, versions, write_json
from benchmarks.push_ways import OURS, Link, connect_s, links, shares, source_s
from pocketbench.harness.measure.statistics import paired_ratio

__all__ = ["main"]

SEED = 0
LARGE_BYTES = 100_000_000
SMALL_FILES = 500
SMALL_BYTES = 2_000, 20_000
UNCHANGED_S = 0.3
FIRST, UNCHANGED = "first", "unchanged"
_ROUND_TRIPS = 20

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
    sources = {case: source_s(folder) for case, folder in cases.items()}
    series: dict[tuple[str, str], dict[str, Series]] = {}
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
                        found = series.setdefault((case, run), {}).setdefault(way, Series())
                        found.taken_s[number] = link.ways[way](cases[case], place)
                        if run == FIRST and way != OURS:
                            measure_shares(link, way, place, number, found)
    print(file=sys.stderr)
    overheads = Overheads(round_trip_s(link), connect_s(link))
    return [
        row
        for (case, run), of_case in series.items()
        for row in rows_of(link.name, case, run, of_case, overheads, sources[case])
    ]


def measure_shares(link: Link, way: str, place: Path, number: int, found: Series) -> None:
    """What `way` left undone of what ours does."""
    with link.connect() as transport:
        transport.run(["true"], timeout_s=60)
        found.disk_s[number], hash_s = shares(transport, place)
    if way not in link.hashing:
        found.hash_s[number] = hash_s


def round_trip_s(link: Link) -> float:
    """Median time of a command that does nothing, on a connection that stands."""
    with link.connect() as transport:
        transport.run(["true"], timeout_s=60)
        return statistics.median(transport.run(["true"], timeout_s=60).duration_s for _ in range(_ROUND_TRIPS))


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
                "ratio": ratio.value,
                "ratio_low": ratio.low,
                "ratio_high": ratio.high,
                "disk_s": _median(theirs.disk_s),
                "hash_s": _median(theirs.hash_s),
                "alike": alike.value if alike else None,
                "alike_low": alike.low if alike else None,
                "rounds": ratio.count,
                "source_s": sources_s,
                **asdict(overheads),
            }
        )
    return rows


def _median(times: Times) -> float | None:
    return statistics.median(times.values()) if times else None


def judge(rows: list[Row]) -> list[Goal]:
    """At least as fast as the fastest of them first, and next to nothing where nothing changed."""
    first = [_number(row, "ratio") for row in rows if row["run"] == FIRST]
    alike = [_number(row, "alike") for row in rows if row["run"] == FIRST]
    beyond = [_number(row, "ratio_low") for row in rows if row["run"] == FIRST and row["ratio_low"] is not None]
    unchanged = [_number(row, "ours_s") - _number(row, "round_trip_s") for row in rows if row["run"] == UNCHANGED]
    return [
        _at_most("first: largest ratio to another way", first, 1),
        _at_most("the same, beyond doubt: largest lower end of an interval", beyond, 1),
        _at_most("first, the others with hash and disk: largest ratio", alike, 1),
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
