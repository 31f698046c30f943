"""Go on or stop: how many rounds come next, and what a campaign could not reach.

Rounds go on until every ratio to the reference is as precise as asked for, up to the last planned look, or until the
time is over. The time stops a campaign between two looks as well: a clock does not know what was found.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pocketbench.harness.measure.looks import LOOKS, next_look
from pocketbench.harness.measure.statistics import Estimate, t_quantile

__all__ = ["HALF_WIDTH", "Step", "Unreached", "next_step", "rounds_needed"]

# Of the logarithm of the ratio: ±1 %, the default of the protocol. Half of it takes four times the rounds.
HALF_WIDTH = 0.01
# Where launches were invalid, a ratio has fewer rounds than were made: from less than this it is precise by chance.
_LEAST_ROUNDS = LOOKS[0]
# Beyond that a prediction from few rounds says no more than "very many".
_MOST_ROUNDS = 10_000


@dataclass(frozen=True, slots=True)
class Unreached:
    """A job whose ratio is less precise than asked for, or is of fewer than 5 rounds.

    `half_width` is that of the logarithm, None where there is no interval. `rounds_needed` is a prediction from the
    spread so far, None where there is none or it is over 10,000; `seconds_needed` what the rounds still missing take at
    the cost so far.
    """

    job: str
    half_width: float | None
    rounds_needed: int | None
    seconds_needed: float | None


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next: measure until there are `until_round` rounds, then ask again; or stop, None.

    `reason` is why the rounds end: all is as precise as asked for (`reached`), the last look (`rounds`), the time
    (`time`); `more` where they go on. `unreached` is what would be missing if they ended now.
    """

    until_round: int | None
    reason: Literal["more", "reached", "rounds", "time"]
    unreached: tuple[Unreached, ...]


def next_step(
    rounds: int,
    ratios: Mapping[str, Estimate | None],
    *,
    half_width: float = HALF_WIDTH,
    round_costs_s: Sequence[float] = (),
    time_left_s: float | None = None,
) -> Step:
    """Decide after `rounds` complete rounds, from the ratio of every job to the reference.

    `ratios` are made with looks.LOOKS_CONFIDENCE. `round_costs_s` is how long each round took, cooling and repeats
    included; `time_left_s` is None without a limit. A round is begun only where the longest so far would still fit; the
    first is, as nobody knows.
    """
    unreached = tuple(
        Unreached(job, *_missing(ratio, rounds, half_width, round_costs_s))
        for job, ratio in ratios.items()
        if ratio is None or not _is_reached(ratio, half_width)
    )
    if rounds in LOOKS and not unreached:
        return Step(None, "reached", ())
    look = next_look(rounds)
    if look is None:
        return Step(None, "rounds", unreached)
    if time_left_s is None:
        return Step(look, "more", unreached)
    affordable = _affordable(round_costs_s, time_left_s)
    if affordable == 0:
        return Step(None, "time", unreached)
    return Step(min(look, rounds + affordable), "more", unreached)


def rounds_needed(ratio: Estimate, half_width: float) -> int | None:
    """The fewest rounds, 5 at least, whose interval is as narrow if the spread stays; None where it cannot be told."""
    if ratio.half_width is None:
        return None
    spread = ratio.half_width * math.sqrt(ratio.count) / t_quantile(ratio.count - 1, ratio.confidence)
    low, high = _LEAST_ROUNDS, _MOST_ROUNDS
    if _predicted(spread, high, ratio.confidence) > half_width:
        return None
    while low < high:
        middle = (low + high) // 2
        if _predicted(spread, middle, ratio.confidence) > half_width:
            low = middle + 1
        else:
            high = middle
    return low


def _is_reached(ratio: Estimate, half_width: float) -> bool:
    return ratio.count >= _LEAST_ROUNDS and ratio.half_width is not None and ratio.half_width <= half_width


def _missing(
    ratio: Estimate | None, rounds: int, half_width: float, costs_s: Sequence[float]
) -> tuple[float | None, int | None, float | None]:
    if ratio is None:
        return None, None, None
    needed = rounds_needed(ratio, half_width)
    if needed is None or not costs_s:
        return ratio.half_width, needed, None
    return ratio.half_width, needed, max(0, needed - rounds) * sum(costs_s) / len(costs_s)


def _predicted(spread: float, rounds: int, confidence: float) -> float:
    return t_quantile(rounds - 1, confidence) * spread / math.sqrt(rounds)


def _affordable(costs_s: Sequence[float], time_left_s: float) -> int:
    if time_left_s <= 0:
        return 0
    longest = max(costs_s, default=0.0)
    # Without a cost to go by one round is tried.
    return int(time_left_s // longest) if longest > 0 else 1
