"""Rounds of a device: as many as a plan says, until ratios are precise, or as long as there is time."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.rounds import Launched, Rounds
from pocketbench.harness.measure.looks import LOOKS
from pocketbench.harness.store.records import StoredJob

REFERENCE, FASTER = "float32", "int8"


def job(name: str, **values: object) -> StoredJob:
    given: dict[str, object] = {
        "job_id": len(name),
        "key": name,
        "variant": name,
        "device": "board",
        "threads": 1,
        "cores": None,
        "engine_id": "e",
        "accelerator": "cpu",
        "reference": REFERENCE,
        "is_aa_copy": False,
        "rounds": frozenset(),
        "launches": 0,
        "medians": {},
        "has_memory": True,
        "has_quality": True,
        "has_profile": True,
    }
    return StoredJob(**{**given, **values})  # type: ignore[arg-type]


@dataclass
class Time:
    """Seconds that pass only when a launch takes some."""

    seconds: float = 0.0

    def now_s(self) -> float:
        return self.seconds

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        self.seconds += seconds
        return stop.is_set()


Answer = Callable[[StoredJob, int, int], Launched]


@dataclass
class Device:
    """Launches take 10 s and end as `answer` says; `made` is what was launched, by (job, round, place)."""

    answer: Answer
    time: Time = field(default_factory=Time)
    made: list[tuple[str, int, int]] = field(default_factory=list)

    def launch(self, job: StoredJob, number: int, position: int) -> Launched:
        self.made.append((job.key, number, position))
        self.time.seconds += 10
        return self.answer(job, number, position)

    def count(self, name: str, number: int | None = None) -> int:
        return sum(made[0] == name and number in (None, made[1]) for made in self.made)


def steady(medians: Mapping[str, float], noise: float = 0.0) -> Answer:
    """The median of each job, with a deviation that changes its sign every round."""

    def answer(job: StoredJob, number: int, position: int) -> Launched:
        sign = 1 if number % 2 else -1
        return Launched("ok", medians[job.variant] * (1 + (noise * sign if job.variant == FASTER else 0)))

    return answer


MEDIANS = {REFERENCE: 1e6, FASTER: 8e5}
PAIR = (job(REFERENCE), job(FASTER))


def plan(**values: object) -> Plan:
    return Plan.model_validate({"version": 1, "name": "rounds", "variants": ["a.onnx"], **values})


def rounds(device: Device, wanted: Plan, jobs=PAIR, **options) -> Rounds:
    return Rounds(wanted, jobs, device.launch, device.time, options.pop("stop", threading.Event()), **options)


def test_rounds_end_at_the_first_look_where_the_ratio_is_precise():
    device = Device(steady(MEDIANS, noise=0.001))

    end = rounds(device, plan()).run()

    assert end is not None
    assert (end.reason, end.to_json()) == ("reached", None)
    assert device.count(FASTER) == device.count(REFERENCE) == LOOKS[0]


def test_rounds_go_on_from_look_to_look_until_it_is():
    device = Device(steady(MEDIANS, noise=0.012))

    end = rounds(device, plan()).run()

    assert end is not None
    assert end.reason == "reached"
    assert device.count(FASTER) in LOOKS[1:]


def test_after_the_last_look_it_says_what_was_not_reached_and_what_it_would_take():
    device = Device(steady(MEDIANS, noise=0.2))

    end = rounds(device, plan()).run()

    assert end is not None
    assert end.reason == "rounds"
    (missing,) = json.loads(end.to_json() or "")
    assert missing["job"] == FASTER
    assert missing["half_width"] > 0.01
    assert missing["rounds_needed"] > LOOKS[-1]
    assert missing["seconds_needed"] == pytest.approx((missing["rounds_needed"] - LOOKS[-1]) * 20)
    assert device.count(FASTER) == LOOKS[-1]


def test_a_wider_precision_needs_fewer_rounds():
    device = Device(steady(MEDIANS, noise=0.02))

    end = rounds(device, plan(precision=0.05)).run()

    assert end is not None
    assert (end.reason, device.count(FASTER)) == ("reached", LOOKS[0])


def test_a_budget_ends_before_a_round_that_would_not_fit():
    device = Device(steady(MEDIANS, noise=0.2))

    end = rounds(device, plan(budget_s=175)).run()

    assert end is not None
    assert end.reason == "time"
    assert json.loads(end.to_json() or "")[0]["job"] == FASTER
    # 20 s a round: the ninth would end at 180 s.
    assert device.count(FASTER) == 8


def test_a_budget_holds_for_a_given_number_of_rounds_too():
    device = Device(steady(MEDIANS))

    end = rounds(device, plan(budget_s=50, rounds=10)).run()

    assert end is not None
    assert (end.reason, device.count(FASTER)) == ("time", 2)


def test_a_given_number_of_rounds_is_launched_whatever_was_found():
    device = Device(steady(MEDIANS, noise=0.2))

    end = rounds(device, plan(rounds=7)).run()

    assert end is not None
    assert (end.reason, end.unreached, device.count(FASTER)) == ("rounds", (), 7)


def test_an_invalid_launch_is_repeated_at_the_end_of_its_round():
    def answer(job: StoredJob, number: int, position: int) -> Launched:
        first = job.variant == FASTER and number == 1 and device.count(FASTER, 1) == 1
        return Launched("invalid") if first else Launched("ok", 1e6)

    device = Device(answer)
    rounds(device, plan(rounds=3)).run()

    assert [device.count(FASTER, number) for number in range(3)] == [1, 2, 1]
    assert device.count(REFERENCE) == 3
    last_of_round = [made for made in device.made if made[1] == 1][-1]
    assert last_of_round[0] == FASTER
    assert last_of_round[2] >= len(PAIR)


def test_a_job_is_launched_at_most_twice_as_often_as_planned():
    device = Device(lambda job, number, position: Launched("invalid"))

    rounds(device, plan(rounds=4)).run()

    assert device.count(FASTER) == device.count(REFERENCE) == 8


def test_a_job_that_fails_twice_in_a_row_is_left_out_and_keeps_nobody_waiting():
    def answer(job: StoredJob, number: int, position: int) -> Launched:
        return Launched("failed") if job.variant == "broken" else steady(MEDIANS, 0.001)(job, number, position)

    device = Device(answer)
    end = rounds(device, plan(), (*PAIR, job("broken"))).run()

    assert end is not None
    assert end.reason == "reached"
    assert device.count("broken") == 2
    assert device.count(FASTER) == LOOKS[0]


def test_without_a_reference_no_more_rounds_are_made_than_for_the_first_look():
    """No number of them would make a ratio known."""

    def answer(job: StoredJob, number: int, position: int) -> Launched:
        return Launched("failed") if job.variant == REFERENCE else Launched("ok", 1e6)

    device = Device(answer)
    end = rounds(device, plan()).run()

    assert end is not None
    assert (end.reason, end.rounds, device.count(FASTER)) == ("rounds", LOOKS[0], LOOKS[0])
    assert [one.job for one in end.unreached] == [FASTER]


def test_the_copy_of_the_reference_is_launched_and_not_waited_for():
    noisy = {REFERENCE: iter([1e6, 2e6, 1e6, 3e6, 1e6] * 10)}

    def answer(job: StoredJob, number: int, position: int) -> Launched:
        return Launched("ok", next(noisy[REFERENCE]) if job.is_aa_copy else MEDIANS[job.variant])

    device = Device(answer)
    copy = job(f"{REFERENCE} (A/A copy)", variant=REFERENCE, is_aa_copy=True)
    end = rounds(device, plan(), (*PAIR, copy)).run()

    assert end is not None
    assert end.reason == "reached"
    assert device.count(copy.key) == LOOKS[0]


def test_what_was_launched_before_an_interruption_counts_and_is_not_launched_again():
    done = dict.fromkeys(range(3), 800000.0)
    before = (
        job(REFERENCE, rounds=frozenset(range(3)), launches=3, medians=dict.fromkeys(range(3), 1000000.0)),
        job(FASTER, rounds=frozenset(range(3)), launches=3, medians=done),
    )
    device = Device(steady(MEDIANS, noise=0.001))

    end = rounds(device, plan(), before).run()

    assert end is not None
    assert end.reason == "reached"
    assert {made[1] for made in device.made} == {3, 4}


def test_a_resumed_round_gives_every_job_the_place_it_had():
    whole, rest = Device(steady(MEDIANS)), Device(steady(MEDIANS))
    rounds(whole, plan(rounds=6)).run()
    half = (PAIR[0], job(FASTER, rounds=frozenset(range(6)), launches=6, medians=dict.fromkeys(range(6), 8e5)))

    rounds(rest, plan(rounds=6), half).run()

    assert rest.made == [made for made in whole.made if made[0] == REFERENCE]


def test_the_order_does_not_depend_on_the_name_of_the_device():
    """A recorded session is replayed under another one."""
    here, there = Device(steady(MEDIANS)), Device(steady(MEDIANS))
    rounds(here, plan(rounds=5)).run()
    other = tuple(job(f"{one.key} on bug", variant=one.variant, device="bug") for one in PAIR)

    rounds(there, plan(rounds=5), other).run()

    assert [made[0].removesuffix(" on bug") for made in there.made] == [made[0] for made in here.made]


def test_a_stop_ends_it_at_the_next_launch_without_a_verdict():
    stop = threading.Event()

    def answer(job: StoredJob, number: int, position: int) -> Launched:
        if len(device.made) == 3:
            stop.set()
        return Launched("ok", 1e6)

    device = Device(answer)

    assert rounds(device, plan(rounds=5), stop=stop).run() is None
    assert len(device.made) == 3


def test_what_comes_between_rounds_knows_which_round_is_next():
    told: list[int] = []
    device = Device(steady(MEDIANS))

    rounds(device, plan(rounds=3), between=told.append).run()

    assert told == [0, 1, 2]
