"""Is a deployment as fast as what a user would copy files with?

`python -m benchmarks.push [--quick] [--links WORD] [--json FILE]` brings a large file of random bytes, 500 small ones,
and an engine with runner and model to a board over SSH (scp, rsync) and to a phone over ADB (adb push --sync): on
loopback, and over links that carry no more than a cable or a radio does. First into an empty folder, then the same
again. In each round every way has its turn, in random order. Over SSH every time counts connecting; over ADB none does
(`connect_s`, once for each connection of ours). Theirs count the start of a program, which our caller, a campaign, has
behind it; ours hashes the files here before (`source_s`, once for each file).

Ours hashes on the device, and waits until all is on the disk. rsync hashes; scp and adb push do neither. So after each
first time of theirs, what they brought is written to the disk (`disk_s`) and, but for rsync, hashed there (`hash_s`).
Rows have the ratio of our time to theirs in the same round, geometric mean with its 95 % t interval, and `alike`: the
same ratio with the longer of the two shares added to theirs, as if both were done at once.

Loopback says nothing of a real cable or card: what is compared is the work, of both ends on the same processor.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.outcome import Row, machine, print_goals, print_table, versions, write_json
from benchmarks.push_cases import SEED, large_case, make_cases
from benchmarks.push_links import links
from benchmarks.push_rows import FIRST, UNCHANGED, Overheads, Series, judge, rows_of
from benchmarks.push_ways import OURS, Link, connect_s, round_trip_s, shares, source_s

__all__ = ["main"]


def measure(link: Link, cases: Mapping[str, Path], rounds: int) -> list[Row]:
    """Every way of every case once a round, first and unchanged."""
    rng = random.Random(SEED)
    sources = {case: source_s(folder) for case, folder in cases.items()}
    series: dict[tuple[str, str], dict[str, Series]] = {}
    for number in range(rounds):
        for case in rng.sample(sorted(cases), len(cases)):
            for way in rng.sample(sorted(link.ways), len(link.ways)):
                print(f"\r{link.name} round {number + 1}/{rounds}, {case} by {way}      ", end="", file=sys.stderr)
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


def main() -> None:
    """Parse the command line, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="three rounds: within ten minutes")
    parser.add_argument("--links", default="", metavar="WORD", help='only links with this in their name: "adb", "USB"')
    parser.add_argument("--json", type=Path, help="write rows, goals, versions and machine to this file")
    arguments = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="pocketbench-push-") as folder, links() as devices:
        for link in devices:
            if arguments.links not in link.name:
                continue
            for missing in link.missing:
                print(f"missing: {missing}")
            cases = make_cases(Path(folder), large_case(link.bytes_per_s))
            rows += measure(link, cases, 3 if arguments.quick else 15)
            print(f"{link.name}: load {machine()['load_average_1min']}", file=sys.stderr)
    goals = judge(rows)
    print_table(rows)
    print_goals(goals)
    if arguments.json:
        write_json(arguments.json, rows, goals, versions("paramiko", "adb-shell", "adbutils"))


if __name__ == "__main__":
    main()
