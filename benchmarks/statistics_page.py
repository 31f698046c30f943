"""docs/statistics.md: the tables of benchmarks/statistics, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.outcome import Cell, Goal, Row
from pocketbench.harness.measure.looks import LOOKS, LOOKS_CONFIDENCE

__all__ = ["page"]

_COUNTS = {"rounds", "iterations", "median_iterations", "lag_1_correlation"}

_INTRODUCTION = """# Can the numbers be trusted?

Written by `python -m benchmarks.statistics --page docs/statistics.md`, which runs the code that campaigns are analysed
with on {campaigns} made-up campaigns a row ({launches} launches where launches are tested) with a known truth. Shares
of campaigns are known to ±{error:.1f} points (95 %); a goal is not met where it is missed by more than chance explains.
[measurement.md](measurement.md) is the protocol.

| goal | target | found | |
|---|---|---|---|
{goals}
"""

_SECTIONS = {
    "campaigns": """## Campaigns

Each row is a device. A variant is 3 % faster than the reference, another one equal to it. Iterations of a launch vary
by 4 % with a lag-1 correlation of 0.3, launches by 1.2 %, unless the row says otherwise. Rounds go on until the
interval of the ratio is ±1 % (at most {last}).

- *coverage*: share of campaigns whose interval holds the true ratio. 95 % is right; more: wider than needed.
- *false differences*: share in which the equal variant is called different. Under 5 % is right.
- *found 3 percent*: share in which the faster variant is called different.
- The columns after that are usual ways of comparing the *equal* variants: share in which a 95 % t interval calls them
  different. 5 % is right. Five launches of 100 iterations of each variant, or one; all iterations of all launches as if
  independent, or launch medians; one variant after the other, or in turn.
""",
    "limits": """## What no interval can know

A device that is throttled and does not say so makes the answer imprecise: the rounds do not suffice, and the small
difference is not found. A variant that alone runs at a second speed in one of 20 launches looks steady in most
campaigns, for in 5 rounds that speed does not occur; the interval then holds the ratio of the speed that occurred, not
the mean over both that *coverage* asks for. Where the second speed is frequent it is seen, and rounds are added.
""",
    "looks": """## Looks

Rounds are looked at after {looks} of them, and end where the interval is ±1 %: more
likely where the spread was found too small. So intervals are made with {confidence:.2f} %, and what is called 95 % is
held at every ratio of noise to target. Beside it a plain 95 % interval at the same looks, and equal variants where
rounds end as soon as 1 is excluded, which no one should do.

*spread of rounds* is the standard deviation of the logarithm of one round's ratio.
""",
    "drift": """## Drift and throttle steps within a launch

300 iterations with 3 % of noise. *drift found*: share of launches that are flagged. *median off*: what the shape does
to the launch's median.
""",
    "warm-up": """## Warm-up

A first iteration of three times the latency, then 20 % more that decays over 40 iterations; 3 % of noise. *mean left*:
how much of the decay is left where the warm-up is found to end.
""",
    "speeds": """## Several speeds within a launch

Share of launches in which more than one speed is found: where there is one, and where a quarter of the iterations, 20
at a stretch, takes 1.2 or 1.4 times as long. 4 % of noise.
""",
    "intervals": """## The interval of one launch's median

Share of launches of 300 iterations whose 95 % interval holds the median: Student's t over 10 batches, and order
statistics of the iterations as if they were independent.
""",
}


def page(tables: Mapping[str, Sequence[Row]], goals: Sequence[Goal], campaigns: int, launches: int) -> str:
    """The whole page."""
    facts = {
        "campaigns": campaigns,
        "launches": launches,
        "error": 196 * (0.05 * 0.95 / campaigns) ** 0.5,
        "goals": "\n".join(
            f"| {goal.name} | {goal.target} | {_text('share', goal.value)} | {'met' if goal.met else '**not met**'} |"
            for goal in goals
        ),
        "last": LOOKS[-1],
        "looks": ", ".join(map(str, LOOKS[:-1])) + f" and {LOOKS[-1]}",
        "confidence": 100 * LOOKS_CONFIDENCE,
    }
    parts = [_INTRODUCTION, *(f"{text}\n{_table(tables[name])}\n" for name, text in _SECTIONS.items())]
    return "\n".join([parts[0].format(**facts), *(part.format(**facts) for part in parts[1:])])


def _table(rows: Sequence[Row]) -> str:
    names = list(rows[0])
    lines = [[name.replace("_", " ") for name in names], ["---"] * len(names)]
    lines += [[_text(name, row[name]) for name in names] for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _text(name: str, value: Cell) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if name in _COUNTS else f"{100 * value:.1f} %".replace("-0.0 %", "0.0 %")
    return str(value)
