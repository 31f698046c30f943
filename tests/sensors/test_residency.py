"""Shares of time at a frequency."""

from __future__ import annotations

import pytest

from pocketbench.harness.sensors.frequency_residency import parse_time_in_state, residency_share
from tests.sensors.captures import TIME_IN_STATE


def test_share_of_the_time_at_full_speed():
    before = parse_time_in_state(TIME_IN_STATE.encode())
    after = parse_time_in_state(b"600000 120\n1200000 80\n1800000 2800\n")

    assert before == {600000: 1200, 1200000: 300, 1800000: 18500}
    assert after is not None
    assert residency_share(before, after, 1_800_000) == pytest.approx(0.95)
    assert residency_share(before, after, 1_250_000) == 1.0


def test_a_share_that_nobody_knows_is_none():
    table = {600000: 10, 1800000: 20}

    assert residency_share(table, table, 1_800_000) is None, "no time went by"
    assert residency_share(table, {600000: 5, 1800000: 90}, 1_800_000) is None, "the counters were reset"
    assert residency_share(table, {600000: 20}, 1_800_000) is None


@pytest.mark.parametrize(
    "text", ["", "600000 120", "600000 120\n600000 3\n", "600000\n", "600000 1\nx 2\n", "600000 -1\n"]
)
def test_half_a_table_is_none(text):
    assert parse_time_in_state(text.encode()) is None
