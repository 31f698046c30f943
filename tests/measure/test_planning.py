"""Go on or stop: planned looks, the time, and what could not be reached."""

from __future__ import annotations

import math

import pytest

from pocketbench.harness.measure.looks import LOOKS_CONFIDENCE, next_look
from pocketbench.harness.measure.planning import Step, Unreached, next_step, rounds_needed
from pocketbench.harness.measure.statistics import Estimate, t_quantile


def ratio(half_width: float, count: int = 5) -> Estimate:
    return Estimate(1.0, math.exp(-half_width), math.exp(half_width), count, LOOKS_CONFIDENCE)


def test_looks():
    assert [next_look(rounds) for rounds in (0, 4, 5, 29, 30, 31)] == [5, 5, 8, 30, None, None]


def test_the_first_look_comes_first():
    assert next_step(0, {"a": None}) == Step(5, "more", (Unreached("a", None, None, None),))


def test_ends_where_every_ratio_is_narrow_enough():
    assert next_step(5, {"a": ratio(0.009), "b": ratio(0.0099)}) == Step(None, "reached", ())


def test_a_narrow_interval_of_fewer_than_5_rounds_is_not_enough():
    """Where launches were invalid: the coverage of looks.py holds from 5 on."""
    step = next_step(5, {"a": ratio(0.001, count=4)})

    assert step.until_round == 8
    assert [missing.rounds_needed for missing in step.unreached] == [5]


def test_goes_on_for_the_widest():
    step = next_step(5, {"a": ratio(0.009), "b": ratio(0.011)})

    assert (step.until_round, step.reason) == (8, "more")
    assert [missing.job for missing in step.unreached] == ["b"]


@pytest.mark.parametrize("rounds", [3, 6, 7, 29])
def test_nothing_ends_between_two_looks(rounds: int):
    """A campaign that was interrupted there and resumed goes on to the next look, however narrow the interval is."""
    assert next_step(rounds, {"a": ratio(0.001, rounds)}).until_round == next_look(rounds)


def test_says_at_the_last_look_what_was_not_reached():
    step = next_step(30, {"a": ratio(0.02, 30)}, round_costs_s=[10.0] * 30)

    assert (step.until_round, step.reason) == (None, "rounds")
    (missing,) = step.unreached
    assert missing.half_width == pytest.approx(0.02)
    # Four times the rounds, less since t shrinks from 2.24 to 2.17.
    assert missing.rounds_needed == 112
    assert missing.seconds_needed == pytest.approx((112 - 30) * 10.0)


def test_a_target_of_ones_own():
    assert next_step(5, {"a": ratio(0.04)}, half_width=0.05).reason == "reached"
    assert next_step(5, {"a": ratio(0.009)}, half_width=0.005).reason == "more"


@pytest.mark.parametrize(
    ("rounds", "costs_s", "left_s", "until", "reason"),
    [
        pytest.param(0, [], 100.0, 1, "more", id="the first round tells what a round takes"),
        pytest.param(0, [], 0.0, None, "time", id="no time at all"),
        pytest.param(1, [10.0], 1000.0, 5, "more", id="no further than the next look"),
        pytest.param(1, [10.0], 29.0, 3, "more", id="as many as fit"),
        pytest.param(3, [10.0, 12.0, 9.0], 11.0, None, "time", id="the longest would not fit"),
        pytest.param(5, [10.0] * 5, 25.0, 7, "more", id="between two looks"),
        pytest.param(30, [10.0] * 30, 1e6, None, "rounds", id="time is not all"),
    ],
)
def test_budget(rounds: int, costs_s: list[float], left_s: float, until: int | None, reason: str):
    ratios = {"a": ratio(0.02, rounds) if rounds > 1 else None}
    step = next_step(rounds, ratios, round_costs_s=costs_s, time_left_s=left_s)

    assert (step.until_round, step.reason) == (until, reason)
    assert [missing.job for missing in step.unreached] == ["a"]


def test_a_budget_is_never_overrun_while_rounds_take_what_they_took():
    left_s, costs_s, rounds = 100.0, list[float](), 0
    while (step := next_step(rounds, {"a": None}, round_costs_s=costs_s, time_left_s=left_s)).until_round is not None:
        costs_s += [7.0] * (step.until_round - rounds)
        left_s -= 7.0 * (step.until_round - rounds)
        rounds = step.until_round

    assert (rounds, step.reason) == (14, "time")
    assert left_s >= 0


def test_rounds_needed_is_the_fewest_that_suffice():
    spread = 0.02
    known = ratio(t_quantile(4, LOOKS_CONFIDENCE) * spread / math.sqrt(5))
    needed = rounds_needed(known, 0.01)

    def width(rounds: int) -> float:
        return t_quantile(rounds - 1, LOOKS_CONFIDENCE) * spread / math.sqrt(rounds)

    assert needed is not None
    assert width(needed) <= 0.01 < width(needed - 1)


def test_rounds_needed_cannot_say():
    assert rounds_needed(Estimate(1.0, None, None, 1), 0.01) is None
    assert rounds_needed(ratio(5.0), 0.0001) is None
    assert rounds_needed(ratio(0.0), 0.01) == 5
