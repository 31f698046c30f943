"""A supply that is too weak halves the clock of a cool board: such launches are invalid, whatever their latency."""

from __future__ import annotations

import pytest

from tests.devices.board import Board
from tests.devices.thermal_world import Launch, Span, World
from tests.protocol.conftest import REFERENCE, RunOn

pytestmark = pytest.mark.alone


def test_under_voltage_is_found_by_the_bit_of_the_moment_and_by_that_since_the_start(run_on: RunOn, board: Board):
    """First a moment that nobody looks at: the firmware remembers it. Later, with that noted already, all the time."""
    spans = {0: Span(0.15, 0.3), 2: Span()}

    with World(board) as world:
        campaign = run_on(
            world,
            board,
            meets=lambda coming: Launch(low_supply=spans.get(coming.number)),
            variants=(REFERENCE,),
            rounds=2,
        )

    launches = campaign.launches
    assert list(zip(launches["round"], launches["status"], launches["reason"].fillna(""), strict=True)) == [
        (0, "invalid", "under_voltage"),
        (0, "ok", ""),
        (1, "invalid", "under_voltage"),
        (1, "ok", ""),
    ]
    assert campaign.slowed == [False] * 4  # it was not heat
