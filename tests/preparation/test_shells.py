"""The whole way with the shells and commands that boards and phones have."""

from __future__ import annotations

import os
import signal

import pytest

from pocketbench.harness.preparation.recovery import recover
from tests.preparation.conftest import guardians, restored, wait_until
from tests.preparation.machine import CPUFREQ, FAN

WORDS = ("governor=performance", "frequency=1700MHz", "fan=full")


def test_set_and_put_back(device, machine, prepare):
    before = machine.all()

    preparation = prepare(device, *WORDS)

    assert machine.read(f"{CPUFREQ}/policy0/scaling_governor") == "performance"
    assert machine.read(f"{CPUFREQ}/policy0/scaling_min_freq") == "1700000"
    assert machine.read(f"{CPUFREQ}/policy0/scaling_max_freq") == "1700000"
    assert machine.read(FAN) == "255"
    assert {row.status for row in preparation.record.settings} == {"set"}
    assert len(guardians(machine)) == 1
    # The kernel drops the settings of a governor that nobody uses.
    machine.write(f"{CPUFREQ}/ondemand/up_threshold", "95")

    preparation.restore()

    assert machine.all() == before
    assert preparation.record.problem is None
    restoration = preparation.record.restoration
    assert restoration.by == preparation.record.holder
    assert {item.status for item in restoration.items} == {"restored"}
    wait_until(lambda: guardians(machine) == [], "the guardian has ended")
    assert sorted(path.name for path in machine.preparation.iterdir()) == ["last", "lock"]


def test_the_guardian_puts_back_what_nobody_renews(device, machine, prepare):
    before = machine.all()
    preparation = prepare(device, *WORDS, lease_s=100)
    machine.set_clock(1099)
    preparation.renew()
    machine.set_clock(1198)

    assert machine.all() != before
    machine.set_clock(1199)

    wait_until(lambda: not guardians(machine), "the guardian has ended")
    assert machine.all() == before
    preparation.restore()
    assert restored(preparation).by == "guardian"
    assert restored(preparation).uptime_s == 1199


def test_what_somebody_changed_is_set_again(device, machine, prepare):
    before = machine.all()
    preparation = prepare(device, *WORDS)
    assert preparation.renew() == ()

    machine.write(f"{CPUFREQ}/policy0/scaling_min_freq", "1500000")
    machine.write(FAN, "125")  # the kernel, at a trip point
    changes = preparation.renew()

    assert [(change.name, change.instead, change.found) for change in changes] == [
        ("policy0 lowest frequency", "1500000", "1700000"),
        ("fan", "125", "255"),
    ]
    preparation.restore()
    assert machine.all() == {**before, FAN: "125\n"}
    assert preparation.record.changes == changes


def test_a_fan_that_the_kernel_has_taken_back_is_left_to_it(device, machine, prepare):
    preparation = prepare(device, "fan=full")
    machine.write(FAN, "175")

    preparation.restore()

    assert machine.read(FAN) == "175"
    assert [item.status for item in restored(preparation).items] == ["left"]


def test_a_guardian_that_was_killed_is_started_again(device, machine, prepare):
    before = machine.all()
    preparation = prepare(device, *WORDS)
    (first,) = guardians(machine)
    os.killpg(first, signal.SIGKILL)

    (change,) = preparation.renew()

    assert change.name == "guardian"
    (second,) = guardians(machine)
    assert second != first
    machine.set_clock(2000)
    wait_until(lambda: not guardians(machine), "the second one has ended")
    assert machine.all() == before


def test_a_guardian_that_is_asked_to_end_puts_everything_back_first(device, machine, prepare):
    before = machine.all()
    prepare(device, *WORDS)
    (guardian,) = guardians(machine)

    os.kill(guardian, signal.SIGTERM)

    wait_until(lambda: not guardians(machine), "it has ended")
    assert machine.all() == before


@pytest.mark.parametrize("rebooted", [False, True])
def test_what_a_dead_guardian_left_is_put_back_at_the_next_connection(device, machine, prepare, holder, rebooted):
    before = machine.all()
    preparation = prepare(device, *WORDS)
    (guardian,) = guardians(machine)
    os.killpg(guardian, signal.SIGKILL)
    if rebooted:
        machine.boot("00000000-8c4e-4a7c-9d8d-0123456789ab")
        machine.set_clock(20)
    else:
        machine.set_clock(2000)
    prepared = machine.all()

    restoration = recover(device, machine.place, platform="linux", holder=holder)

    assert restoration is not None
    assert restoration.token == preparation.record.token
    if rebooted:  # the kernel begins anew: what it says now is not ours
        assert machine.all() == prepared
        assert {item.status for item in restoration.items} == {"rebooted"}
    else:
        assert machine.all() == before
        assert {item.status for item in restoration.items} == {"restored"}
    assert not (machine.preparation / "state").exists()
    assert recover(device, machine.place, platform="linux", holder=holder) == restoration
