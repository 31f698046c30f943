"""The start line, and thermal steady state."""

from __future__ import annotations

import pytest

from pocketbench.harness.measure.temperature import Reading, StartDecision, decide_start, start_line, steady_since

GO, WAIT = StartDecision("go"), StartDecision("wait")
GIVE_UP = StartDecision("give up", "hot_start")


def readings(*pairs: tuple[float, float]) -> list[Reading]:
    return [Reading(time_s, celsius) for time_s, celsius in pairs]


def test_start_line_stays_above_what_the_device_idles_at():
    assert start_line(None) == 42.0
    assert start_line(30.0) == 42.0
    assert start_line(50.0) == 55.0


@pytest.mark.parametrize(
    ("celsius", "decision"),
    [
        (42.0, GO),
        (44.0, GO),
        (44.1, WAIT),
        (40.0, GO),
        (39.9, StartDecision("go", "cool_start")),
    ],
)
def test_within_two_degrees(celsius: float, decision: StartDecision):
    assert decide_start(readings((0, celsius)), start_celsius=42.0) == decision


def test_a_device_without_a_sensor_starts_at_once():
    assert decide_start([], start_celsius=42.0) == StartDecision("go", "no_temperature")


def test_gives_up_after_the_wait():
    cooling = readings(*((time_s, 60 - time_s / 30) for time_s in range(0, 301, 10)))

    assert decide_start(cooling[:-1], start_celsius=42.0) != GO
    assert decide_start(cooling, start_celsius=42.0) == GIVE_UP


def test_gives_up_early_where_it_cannot_get_there():
    # 1 degree in the last minute, 2 with the sensor's step: 8 in the 4 minutes left, 16 are missing.
    assert decide_start(readings((0, 61), (60, 60)), start_celsius=42.0) == GIVE_UP
    # 4 and 1 in the last minute: 20 in the 4 minutes left.
    assert decide_start(readings((0, 64), (60, 60)), start_celsius=42.0) == WAIT


def test_a_device_that_cools_ever_more_slowly_is_waited_for_until_it_is_there():
    """Newton's cooling to 35 with a time constant of 100 s, in whole degrees: 70 to 44 takes 136 s."""
    seen: list[Reading] = []
    for time_s in range(0, 301, 5):
        seen.append(Reading(time_s, round(35 + 35 * 2.718281828 ** (-time_s / 100))))
        decision = decide_start(seen, start_celsius=42.0)
        if decision != WAIT:
            break

    assert decision == GO
    assert 125 <= seen[-1].time_s <= 145


def test_steady_within_a_degree_for_a_minute():
    rising = [(time_s, min(70.0, 40 + time_s / 10)) for time_s in range(0, 601, 10)]

    # 69.1 at 291 s is the first within a degree of 70; seen at 300, and a minute later.
    assert steady_since(readings(*rising)) == 360
    assert steady_since(readings(*rising[:35])) is None


def test_steady_needs_a_minute_of_readings():
    assert steady_since(readings((0, 50), (59, 50))) is None
    assert steady_since(readings((0, 50), (60, 50))) == 60
    assert steady_since([]) is None


def test_a_sensor_that_jumps_by_a_whole_degree_is_not_steady():
    assert steady_since(readings(*((time_s, 50 + time_s // 10 % 2) for time_s in range(0, 200, 10)))) is None
