"""Would the answer be the same tomorrow? One pair of networks, measured again and again while something else runs.

`python -m benchmarks.repeat [--quick] [--json FILE]` runs campaigns on this computer, each with the same two networks
(one about 15 % slower) and an A/A copy, while a process of its own loads a core in bursts (benchmarks/background.py).
A 95 % interval is right where about 19 of 20 campaigns' intervals hold the ratio of all campaigns together, and the
copy's hold 1, which is known. Beside it, what other ways make of the same iterations (benchmarks/repeat_ways.py).

Shares, and logarithms of ratios: a `half_width` of 0.01 is about ±1 %. `called_different`: the interval excludes 1,
which is right for the slower network and false for the copy.

A campaign has a fixed number of short launches, and no sensors, whose start line would be waited for: the question is
what the load does.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.background import BackgroundLoad
from benchmarks.outcome import Goal, Row, print_goals, print_table, versions, write_json
from benchmarks.repeat_networks import write_pair
from benchmarks.repeat_ways import COPY, POCKETBENCH, SLOWER, Measured, measured, way_rows
from pocketbench.harness.campaign.plan import LaunchSpec, Plan
from pocketbench.harness.campaign.run import run_campaign
from pocketbench.harness.campaign.tables import campaign_tables
from pocketbench.harness.devices.registry import Registry
from pocketbench.harness.store.store import Store

__all__ = ["Size", "judge", "main", "measure"]

SEED = 0
LEAST, MOST = 0.9, 0.99
# What happens to one run in 20 is no sign that intervals are too wide.
_CHANCE = 0.05


@dataclass(frozen=True, slots=True)
class Size:
    """Of the whole: how many campaigns, of how many rounds, and the times of a launch."""

    campaigns: int
    rounds: int
    launch: LaunchSpec


FULL = Size(20, 6, LaunchSpec(warmup_time_s=0.3, min_time_s=0.8))
QUICK = Size(4, 5, LaunchSpec(iterations=20, warmup_time_s=0.1, min_time_s=0.2))


def measure(pair: tuple[Path, Path], size: Size, home: Path) -> list[Measured]:
    """Run the campaigns one after the other, with all that they keep in `home`."""
    registry, found = Registry(home / "devices.yaml"), []
    with Store(home) as store:
        for number in range(size.campaigns):
            print(f"\rcampaign {number + 1}/{size.campaigns} ", end="", file=sys.stderr)
            plan = Plan(
                version=1,
                name="repeat",
                variants=pair,
                reference=pair[0].name,
                rounds=size.rounds,
                launch=size.launch,
                sensors=False,
                profile=False,
                seed=SEED + number,
            )
            campaign_id = run_campaign(plan, store=store, registry=registry, home=home, progress=lambda event: None)
            found.append(measured(campaign_tables(store, campaign_id)))
    print(file=sys.stderr)
    return found


def campaign_rows(campaigns: Sequence[Measured]) -> list[Row]:
    """A row for each campaign's answer about each arm, and what its slowest launch of the reference was slower by."""
    rows: list[Row] = []
    for number, campaign in enumerate(campaigns):
        medians = [float(np.median(launch)) for launch in campaign.reference.values()]
        for name in (SLOWER, COPY):
            answer = campaign.arms[name].answer
            rows.append(
                {
                    "campaign": number,
                    "compared": name,
                    "ratio": answer.ratio,
                    "ratio_low": answer.low,
                    "ratio_high": answer.high,
                    "reference_ms": float(np.median(medians)) / 1e6,
                    "slowest_to_fastest_launch": max(medians) / min(medians),
                }
            )
    return rows


def judge(rows: Sequence[Row]) -> list[Goal]:
    """Of pocketbench's rows: the shares of campaigns whose interval holds what it should."""
    names = {
        SLOWER: "share of campaigns whose interval holds the overall ratio",
        COPY: "share of campaigns whose interval of the A/A copy holds 1",
    }
    goals = []
    for row in rows:
        if row["way"] == POCKETBENCH:
            share, answers = row["holds"], row["answers"]
            assert isinstance(share, float)
            assert isinstance(answers, int)
            met = share >= LEAST and (share <= MOST or MOST**answers > _CHANCE)
            goals.append(Goal(names[str(row["compared"])], f"{LEAST} to {MOST}", share, met))
    return goals


def main() -> None:
    """Parse the command line, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--quick", action="store_true", help="4 campaigns of short launches: within a minute, too few to judge"
    )
    parser.add_argument("--json", type=Path, help="write rows, goals, versions and machine to this file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pocketbench-repeat-") as folder:
        pair = write_pair(Path(folder))
        with BackgroundLoad(SEED) as load:
            campaigns = measure(pair, QUICK if arguments.quick else FULL, Path(folder))
    campaign_table, rows = campaign_rows(campaigns), way_rows(campaigns)
    goals = judge(rows)
    print_table(campaign_table)
    print()
    print_table(rows)
    print(f"\nbackground load: {load.share:.0%} of a core")
    print_goals(goals)
    if arguments.json:
        background: list[Row] = [{"share_of_a_core": load.share}]
        tables = {"campaigns": campaign_table, "ways": rows, "background": background}
        every: list[Row] = [{"table": name, **row} for name, table in tables.items() for row in table]
        write_json(arguments.json, every, goals, versions("onnxruntime", "numpy", "scipy"))


if __name__ == "__main__":
    main()
