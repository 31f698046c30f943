"""Invalid launches of before an interruption count towards how often a job may be launched."""

from __future__ import annotations

from pocketbench.harness.campaign.rounds import Launched
from tests.campaign.test_rounds import FASTER, REFERENCE, Device, job, plan, rounds

MEDIANS = dict.fromkeys(range(2), 1e6)


def test_a_round_that_was_invalid_as_often_as_allowed_is_not_launched_again():
    """The faster one was invalid twice in the first round, then ok; the third round is missing of both."""
    before = (
        job(REFERENCE, rounds=frozenset({0, 1}), launches=2, medians=MEDIANS),
        job(FASTER, rounds=frozenset({1}), launches=3, medians={1: 8e5}),
    )
    device = Device(lambda job, number, position: Launched("ok", 1e6))

    rounds(device, plan(rounds=3), before).run()

    assert {(name, number) for name, number, _ in device.made} == {(REFERENCE, 2), (FASTER, 2)}
    assert len(device.made) == 2


def test_a_round_that_was_interrupted_between_an_invalid_launch_and_its_repeat_is_completed():
    before = (
        job(REFERENCE, rounds=frozenset({0}), launches=1, medians={0: 1e6}),
        job(FASTER, rounds=frozenset(), launches=1),
    )
    device = Device(lambda job, number, position: Launched("ok", 1e6))

    rounds(device, plan(rounds=1), before).run()

    assert [(name, number) for name, number, _ in device.made] == [(FASTER, 0)]


def test_what_was_always_invalid_is_not_launched_more_often_for_being_resumed():
    before = (job(REFERENCE, launches=8),)
    device = Device(lambda job, number, position: Launched("invalid"))

    end = rounds(device, plan(rounds=4), before).run()

    assert end is not None
    assert device.made == []
