"""Shares of time at a frequency, and the memory of a process."""

from __future__ import annotations

import pytest

from pocketbench.harness.sensors.frequency_residency import parse_time_in_state, residency_share
from pocketbench.harness.sensors.process_memory import parse_smaps_rollup, parse_status, process_memory_spec
from tests.sensors.captures import ROLLUP, STATUS, TIME_IN_STATE


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


def test_memory_of_a_process():
    status = {reading.source: reading.value for reading in parse_status(STATUS.encode())}
    rollup = {reading.source: reading.value for reading in parse_smaps_rollup(ROLLUP.encode())}

    assert status["peak resident"] == 1744 * 1024
    assert status["swapped"] == 0
    assert rollup == {"proportional": 187 * 1024, "private clean": 40 * 1024, "private dirty": 112 * 1024, "swapped": 0}


def test_memory_of_a_process_that_ended():
    assert all(reading.value is None for reading in (*parse_status(b""), *parse_smaps_rollup(b"")))


def test_memory_of_this_process():
    spec = process_memory_spec(1)

    assert spec.paths == ("/proc/1/status", "/proc/1/smaps_rollup")
    assert parse_status(b"VmHWM:\t    1744 kB\n")[0].value == 1744 * 1024
    assert parse_status(b"VmHWM:\t    1744 kB")[0].value is None, "half a number is a number too"
