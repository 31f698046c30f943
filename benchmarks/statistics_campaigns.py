"""Campaigns with a known answer, analysed by the protocol and by what people do instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.statistics_noise import Noise, launch_latencies, slowdown, throttled
from pocketbench.harness.measure.comparison import compare, noise_floor
from pocketbench.harness.measure.looks import LOOKS, LOOKS_CONFIDENCE
from pocketbench.harness.measure.planning import next_step
from pocketbench.harness.measure.rounds import MOST_LAUNCHES_A_ROUND, may_repeat, round_order
from pocketbench.harness.measure.statistics import paired_ratio, t_quantile

__all__ = ["LIMITS", "RATIO", "SCENARIOS", "Protocol", "Scenario", "follow", "protocol", "usual_ways"]

Array = NDArray[Any]

# The variant is 3 % faster than the reference; `equal` is as fast, under another name.
RATIO = 0.97
_ARMS = {"reference": 1.0, "copy": 1.0, "equal": 1.0, "variant": RATIO}
_LATENCY_NS = 10e6
_ITERATIONS = 100
# What one of the usual ways launches of each variant.
_USUAL_LAUNCHES = 5
_AT_ONCE = 250


@dataclass(frozen=True, slots=True)
class Scenario:
    """`throttling` is the chance of each arm's launch to be throttled; `declared` whether the device says so.

    `noise_of_variant` is where the variant has its own. `truth` is what its ratio to the reference is then.
    """

    name: str
    noise: Noise
    throttling: Mapping[str, float] = field(default_factory=dict)
    declared: bool = False
    noise_of_variant: Noise | None = None
    truth: float = RATIO


_UNEQUAL = {"reference": 0.15, "copy": 0.15, "equal": 0.15, "variant": 0.05}
SCENARIOS = (
    Scenario("iterations independent, launches 0.3 %", Noise(correlation=0.0, between=0.003)),
    Scenario("iterations independent, launches 1.2 %", Noise(correlation=0.0)),
    Scenario("launches 4 %", Noise(between=0.04)),
    Scenario("AR(1) 0.6", Noise(correlation=0.6)),
    Scenario("AR(1) 0.9", Noise(correlation=0.9)),
    Scenario("device slows by 12 %", Noise(slowdown=0.12)),
    Scenario("throttled at times, device says so", Noise(), _UNEQUAL, declared=True),
    Scenario("two speeds within launches, 30 % at 1.4x", Noise(second_speed=0.3)),
    Scenario("two speeds of launches, 30 % at 1.4x", Noise(second_speed_launches=0.3)),
    Scenario("3 % of iterations at 5x", Noise(slow_iterations=0.03)),
    Scenario("5 % of launches at 1.3x", Noise(slow_launches=0.05)),
    Scenario("launches heavy-tailed (t of 3)", Noise(heavy_tails=True)),
)
# Where the interval does not hold what one might expect of it: nothing shows in the launches that were made, or nobody
# told that the reference was throttled.
LIMITS = (
    Scenario("throttled at times, nobody says so", Noise(), _UNEQUAL),
    *(
        Scenario(
            f"{100 * share:.0f} % of launches of the variant alone at 1.4x",
            Noise(),
            noise_of_variant=Noise(second_speed_launches=share),
            truth=RATIO * 1.4**share,
        )
        for share in (0.05, 0.3)
    ),
)


@dataclass(frozen=True, slots=True)
class Protocol:
    """Shares of campaigns: the interval held the truth, equal variants were called different, the 3 % was found."""

    coverage: float
    false_differences: float
    found: float
    rounds: float
    first_look_coverage: float


def protocol(scenario: Scenario, campaigns: int, seed: int) -> Protocol:
    """Follow the protocol in that many campaigns; a campaign of `equal` and one of `variant` share the rest."""
    random = np.random.default_rng(seed)
    held, false, found, rounds, held_first = [], [], [], [], []
    for medians in _campaigns(random, scenario, campaigns):
        _, false_difference, _ = follow(medians, "equal", 1.0)
        count, difference, covered = follow(medians, "variant", scenario.truth)
        false.append(false_difference)
        found.append(difference)
        held.append(covered)
        rounds.append(count)
        first = paired_ratio(_first(medians["variant"], LOOKS[0]), _first(medians["reference"], LOOKS[0]))
        held_first.append(first is not None and (first.low or 0) <= scenario.truth <= (first.high or 0))
    return Protocol(*(float(np.mean(values)) for values in (held, false, found, rounds, held_first)))


def follow(medians: Mapping[str, Mapping[int, float]], arm: str, truth: float) -> tuple[int, bool, bool]:
    """Rounds that were made, whether a difference was called, whether the interval holds the truth."""
    ratio, rounds = None, 0
    while (step := next_step(rounds, {arm: ratio})).until_round is not None:
        rounds = step.until_round
        reference = _first(medians["reference"], rounds)
        ratio = paired_ratio(_first(medians[arm], rounds), reference, confidence=LOOKS_CONFIDENCE)
    floor = noise_floor(paired_ratio(_first(medians["copy"], rounds), reference, confidence=LOOKS_CONFIDENCE))
    covered = ratio is not None and (ratio.low or 0) <= truth <= (ratio.high or 0)
    return rounds, compare(ratio, floor).verdict == "difference", covered


def _first(medians: Mapping[int, float], rounds: int) -> dict[int, float]:
    return {number: median for number, median in medians.items() if number < rounds}


def _campaigns(
    random: np.random.Generator, scenario: Scenario, campaigns: int
) -> Iterator[dict[str, dict[int, float]]]:
    """Launch medians by arm and round of every campaign, invalid launches left out."""
    for done in range(0, campaigns, _AT_ONCE):
        count = min(_AT_ONCE, campaigns - done)
        orders = [
            [
                round_order(list(_ARMS), seed=done + number, round_number=round_number)
                for round_number in range(LOOKS[-1])
            ]
            for number in range(count)
        ]
        places = np.array([[[order.index(arm) for order in rows] for arm in _ARMS] for rows in orders])
        launches = places + len(_ARMS) * np.arange(LOOKS[-1])
        truth = np.log([_LATENCY_NS * ratio for ratio in _ARMS.values()])[:, None]
        slower, valid = _throttling(random, scenario, launches)
        centres = truth + slowdown(scenario.noise, launches) + slower
        medians = np.median(launch_latencies(random, scenario.noise, centres, _ITERATIONS), axis=-1)
        if scenario.noise_of_variant is not None:
            own = launch_latencies(random, scenario.noise_of_variant, centres[:, -1], _ITERATIONS)
            medians[:, -1] = np.median(own, axis=-1)
        for values, counts in zip(medians, valid, strict=True):
            yield {
                arm: {number: float(values[place, number]) for number in np.flatnonzero(counts[place]).tolist()}
                for place, arm in enumerate(_ARMS)
            }


def _throttling(random: np.random.Generator, scenario: Scenario, launches: Array) -> tuple[Array, Array]:
    """What each launch (campaign, arm, round) is slower by, and whether it counts; declared ones were repeated."""
    slower, valid = np.zeros(launches.shape), np.ones(launches.shape, bool)
    if not scenario.throttling:
        return slower, valid
    chance = np.array([scenario.throttling[arm] for arm in _ARMS])
    number_of_arms, rounds = launches.shape[1:]
    made = np.zeros(launches.shape[:2], int)
    before = np.zeros(len(launches), bool)
    for round_number in range(rounds):
        for place in range(number_of_arms):
            arm = np.argwhere(launches[:, :, round_number] == round_number * number_of_arms + place)[:, 1]
            rows = np.arange(len(launches))
            before, amount = throttled(random, chance[arm], before)
            made[rows, arm] += 1
            slower[rows, arm, round_number] = amount
            valid[rows, arm, round_number] = ~before | (not scenario.declared)
        for place in range(number_of_arms * (MOST_LAUNCHES_A_ROUND - 1) if scenario.declared else 0):
            column = place % number_of_arms
            again = ~valid[:, column, round_number] & np.array(
                [may_repeat(int(launched), round_number + 1) for launched in made[:, column]]
            )
            now, amount = throttled(random, np.full(len(launches), chance[column]), before)
            before = np.where(again, now, before)
            made[:, column] += again
            slower[again, column, round_number] = amount[again]
            valid[again, column, round_number] = ~now[again]
    return slower, valid


def usual_ways(scenario: Scenario, campaigns: int, seed: int) -> dict[str, float]:
    """Share of campaigns in which two equal variants are called different, by way.

    Each way launches both five times, one after the other but for `one launch`; interleaved is in turn.
    """
    random = np.random.default_rng(seed)
    calls: dict[str, list[Array]] = {}
    for done in range(0, campaigns, _AT_ONCE):
        count = min(_AT_ONCE, campaigns - done)
        places = np.arange(2 * _USUAL_LAUNCHES)
        blocks = np.broadcast_to(places.reshape(2, -1), (count, 2, _USUAL_LAUNCHES))
        turns = np.broadcast_to(places.reshape(-1, 2).T, blocks.shape)
        blocked, interleaved = (_latencies(random, scenario, launches) for launches in (blocks, turns))
        medians = np.log(np.median(blocked, axis=-1))
        for name, values in {
            "one launch, all iterations": blocked[:, :, 0],
            "A..A B..B, all iterations": blocked.reshape(count, 2, -1),
            "ABAB, all iterations": interleaved.reshape(count, 2, -1),
            "A..A B..B, launch medians": medians,
        }.items():
            calls.setdefault(name, []).append(_called_different(values))
    return {name: float(np.mean(np.concatenate(parts))) for name, parts in calls.items()}


def _latencies(random: np.random.Generator, scenario: Scenario, launches: Array) -> Array:
    """Of two equal variants whose launches have these numbers; throttled ones are in it, as nobody looks."""
    slower = np.zeros(launches.shape)
    before = np.zeros(len(launches), bool)
    for place in range(launches[0].size if scenario.throttling else 0):
        where = launches == place
        before, amount = throttled(random, np.full(len(launches), scenario.throttling["equal"]), before)
        slower[where] = amount
    centres = np.log(_LATENCY_NS) + slowdown(scenario.noise, launches) + slower
    return launch_latencies(random, scenario.noise, centres, _ITERATIONS)


def _called_different(values: Array) -> Array:
    """Student's 95 % interval of the difference of two means excludes 0; the last axis is what is pooled."""
    count = values.shape[-1]
    difference = values[:, 0].mean(axis=-1) - values[:, 1].mean(axis=-1)
    error = np.sqrt(values.var(axis=-1, ddof=1).sum(axis=-1) / count)
    return np.asarray(np.abs(difference) > t_quantile(2 * (count - 1), 0.95) * error)
