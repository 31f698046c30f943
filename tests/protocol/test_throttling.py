"""A board that gets too hot in some launches: they are found, marked and repeated, and the answer is a cool board's."""

from __future__ import annotations

import pandas as pd
import pytest

from pocketbench.harness.measure.looks import LOOKS, LOOKS_CONFIDENCE
from pocketbench.harness.measure.statistics import paired_ratio
from tests.devices.board import Board
from tests.devices.thermal_world import HOT_C, Launch, Span, World
from tests.protocol.conftest import REFERENCE, SHORT, TRUE_RATIO, VARIANT, Coming, RunOn, rows

pytestmark = pytest.mark.alone

ROUNDS = LOOKS[0]
# Launches differ from each other, on a board too: here by more than what this computer does meanwhile can change them.
# Some of it is a whole round's, and the rest has a geometric mean of 1 over the rounds.
ROUND_PACES = (1.02, 0.99, 1.0, 1.03, 0.98)
VARIANT_PACES = (1.012, 1 / 1.012, 1.0, 1 / 1.008, 1.008)


def hot_variant(coming: Coming) -> Launch:
    """The variant draws so much that the board gets too hot, the first time in each of the first four rounds."""
    pace = ROUND_PACES[coming.round % ROUNDS]
    if coming.variant == REFERENCE:
        return Launch(pace)
    hot = coming.number in (0, 2, 4, 6)
    return Launch(pace * VARIANT_PACES[coming.round % ROUNDS], beside=Span() if hot else None)


def medians(launches: pd.DataFrame, name: str) -> dict[int, float]:
    """Of one job, which has a launch a round."""
    chosen = launches[(launches["name"] == name) & ~launches["is_aa_copy"]]
    assert chosen["round"].is_unique
    return dict(zip(chosen["round"], chosen["latency_median_ns"], strict=True))


def holds_the_truth(launches: pd.DataFrame) -> bool:
    ratio = paired_ratio(medians(launches, VARIANT), medians(launches, REFERENCE), confidence=LOOKS_CONFIDENCE)
    assert ratio is not None
    assert ratio.count == ROUNDS
    assert ratio.low is not None
    assert ratio.high is not None
    return ratio.low <= TRUE_RATIO <= ratio.high


@pytest.mark.slow
def test_throttled_launches_are_repeated_and_the_answer_is_that_of_a_cool_board(run_on: RunOn, board: Board):
    with World(board) as world:
        campaign = run_on(world, board, meets=hot_variant, precision=0.04, aa_copy=True)

    launches = campaign.launches
    invalid = launches[launches["status"] == "invalid"]
    assert list(launches["status"] == "invalid") == campaign.slowed
    assert list(zip(invalid["name"], invalid["round"], invalid["reason"], strict=True)) == [
        (VARIANT, number, "throttled") for number in range(4)
    ]
    assert list(launches["declared_throttling"]) == campaign.slowed
    assert (invalid["iterations"] > 0).all()  # kept, with all that was measured
    assert invalid["temperature_max_c"].min() > HOT_C > launches.drop(invalid.index)["temperature_max_c"].max()
    assert_repeated_at_the_end_of_the_round(launches, jobs=3)

    assert (campaign.device["rounds_ended"], campaign.device["unreached"]) == ("reached", None)
    assert (campaign.ratio["rounds_compared"], campaign.ratio["verdict"]) == (ROUNDS, "difference")
    assert campaign.ratio["ratio_low"] <= TRUE_RATIO <= campaign.ratio["ratio_high"]
    assert holds_the_truth(launches[launches["status"] == "ok"])
    # What there would be if nobody looked whether the board was hot.
    assert not holds_the_truth(launches[launches["attempt"] == 0])


def assert_repeated_at_the_end_of_the_round(launches: pd.DataFrame, jobs: int) -> None:
    for number in range(ROUNDS):
        of_round = rows(launches[launches["round"] == number])
        first, again = of_round[:jobs], of_round[jobs:]
        assert [one["attempt"] for one in first] == [0] * jobs
        assert [(one["name"], one["attempt"]) for one in again] == ([(VARIANT, 1)] if number < 4 else [])
        positions = [one["position"] for one in of_round]
        assert positions[:jobs] == list(range(jobs))
        assert all(position >= jobs for position in positions[jobs:])


def test_a_board_that_is_always_too_hot_is_not_launched_for_ever_and_gives_no_answer(run_on: RunOn, board: Board):
    with World(board) as world:
        campaign = run_on(world, board, meets=lambda coming: Launch(beside=Span()), variants=(REFERENCE,), rounds=1)

    launches = campaign.launches
    assert list(zip(launches["round"], launches["attempt"], launches["status"], strict=True)) == [
        (0, 0, "invalid"),
        (0, 1, "invalid"),
    ]
    assert campaign.slowed == [True] * 2
    assert campaign.tables.estimates.empty


@pytest.mark.slow
def test_without_firmware_the_kernel_tells_with_the_latency(run_on: RunOn, plain_board: Board):
    """A governor may lower the clock at any time: it is throttling where latency rises with it."""

    def hot_from_the_middle(coming: Coming) -> Launch:
        return Launch(beside=Span(0.7) if coming.number == 0 else None)

    with World(plain_board) as world:
        campaign = run_on(
            world,
            plain_board,
            meets=hot_from_the_middle,
            variants=(REFERENCE,),
            launch=SHORT | {"min_time_s": 2.3},
            rounds=1,
        )

    assert "vcgencmd" not in campaign.sensed()
    first, second = rows(campaign.launches)
    assert (first["status"], first["reason"], second["status"]) == ("invalid", "throttled", "ok")
    assert campaign.slowed == [True, False]
    assert "drift_slower" in first["flags"].split()
    assert first["frequency_share"] < 0.95 <= second["frequency_share"]
    assert first["declared_throttling"] is second["declared_throttling"] is None
