"""Rounds are added until the answer is precise or the time is over: test_throttling.py shows the first."""

from __future__ import annotations

import json

import pytest

from pocketbench.harness.measure.looks import LOOKS
from tests.devices.board import Board
from tests.devices.thermal_world import Launch, World
from tests.protocol.conftest import VARIANT, RunOn

pytestmark = pytest.mark.alone


def test_a_budget_that_is_too_small_says_what_was_not_reached_and_what_sensing_cost(run_on: RunOn, board: Board):
    with World(board) as world:
        campaign = run_on(
            world,
            board,
            meets=lambda coming: Launch(pace=1.2 if coming.variant == VARIANT and coming.round % 2 else 1.0),
            budget_s=5.5,
        )

    assert campaign.device["rounds_ended"] == "time"
    (missing,) = json.loads(campaign.device["unreached"])
    assert missing["job"].startswith(VARIANT)
    assert missing["half_width"] is None or missing["half_width"] > 0.01
    assert 1 <= campaign.launches["round"].nunique() < LOOKS[0]
    assert (campaign.launches["status"] == "ok").all()
    # Inferences of this engine take as long with a sampler beside them as without.
    assert abs(campaign.device["sampler_ratio"] - 1) < 0.2
