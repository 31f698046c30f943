"""Launches start from the same temperature: a board is waited for until it is cool, but not for ever."""

from __future__ import annotations

from functools import partial

import pytest

from pocketbench.harness.campaign import launching
from pocketbench.harness.measure.temperature import decide_start
from tests.devices.board import Board
from tests.devices.thermal_world import World
from tests.protocol.conftest import REFERENCE, RunOn

pytestmark = pytest.mark.alone

# What decide_start forgives.
TOLERANCE_C = 2.0


def test_every_launch_waits_until_the_board_is_cool_again(run_on: RunOn, board: Board):
    with World(board) as world:
        campaign = run_on(world, board, variants=(REFERENCE,), rounds=3)

    launches = campaign.launches
    line_c = campaign.device["start_line_c"]
    assert line_c == pytest.approx(45, abs=0.5)  # the board idles at 40, and nothing had warmed it
    assert list(launches["status"]) == ["ok"] * 3
    assert (launches["temperature_start_c"] <= line_c + TOLERANCE_C).all()
    # Each launch, and what came before the first, left it warmer than that.
    assert (launches["temperature_max_c"] > line_c + TOLERANCE_C).all()
    assert not launches["flags"].str.contains("start").any()


def test_a_board_that_does_not_cool_down_is_measured_and_marked(
    run_on: RunOn, board: Board, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(launching, "decide_start", partial(decide_start, wait_s=0.5))

    with World(board) as world:

        def the_sun_comes_out(message: str) -> None:
            if message.startswith("what sensing costs"):
                world.ambient_c = 40.0

        campaign = run_on(world, board, notice=the_sun_comes_out, variants=(REFERENCE,), rounds=2)

    launches = campaign.launches
    line_c = campaign.device["start_line_c"]
    assert list(launches["status"]) == ["ok"] * 2
    assert (launches["temperature_start_c"] > line_c + TOLERANCE_C).all()
    assert launches["flags"].str.split().map(lambda flags: "hot_start" in flags).all()
