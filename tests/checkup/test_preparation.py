"""What an earlier preparation left is put back, and said; somebody else's is left alone."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.device_profiles.loader import load_profile
from pocketbench.harness.checkup import preparation as question
from pocketbench.harness.checkup.preparation import earlier_preparation
from pocketbench.harness.checkup.visit import Visit
from pocketbench.harness.devices.registry import Device
from pocketbench.harness.preparation.holder import Holder, this_holder
from pocketbench.harness.preparation.prepared import Preparation
from pocketbench.harness.preparation.wanted import parse_wanted
from pocketbench.harness.transports.local import LocalTransport
from tests.preparation.conftest import guardians
from tests.preparation.machine import CPUFREQ, Machine

GOVERNOR = f"{CPUFREQ}/policy0/scaling_governor"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    machine = Machine(tmp_path / "machine")
    monkeypatch.setattr(question, "place_on", lambda device: machine.place)
    yield machine
    for process_id in guardians(machine):
        os.killpg(process_id, signal.SIGKILL)


@pytest.fixture
def visit() -> Visit:
    device = Device("local", "local:", "generic-linux", PurePosixPath("/nowhere"))
    return Visit(device, LocalTransport(), load_profile("generic-linux"))


@pytest.fixture
def us(tmp_path: Path) -> Holder:
    return this_holder(tmp_path)


def prepare(machine: Machine, holder: Holder) -> Preparation:
    wanted = parse_wanted(["governor=performance"])
    preparation = Preparation(LocalTransport(), machine.place, wanted, platform="linux", holder=holder)
    preparation.prepare()
    return preparation


def test_a_device_that_was_never_prepared(machine: Machine, visit: Visit, us: Holder):
    before = machine.all()

    [row] = earlier_preparation(visit, us)

    assert (row.question, row.status) == ("preparation", "ok")
    assert "never prepared" in row.found
    assert machine.all() == before


def test_what_a_killed_process_left_is_put_back(machine: Machine, visit: Visit, us: Holder):
    before = machine.all()
    prepare(machine, replace(us, started=us.started - 1))  # one with our number that is no more
    assert machine.all() != before

    [row] = earlier_preparation(visit, us)

    assert row.status == "ok"
    assert f"put back by {us.name} at" in row.found
    assert machine.all() == before


def test_what_could_not_be_put_back_is_said(machine: Machine, visit: Visit, us: Holder):
    prepare(machine, replace(us, started=us.started - 1))
    # A kernel that takes nothing more.
    (machine.sys / GOVERNOR).unlink()
    (machine.sys / GOVERNOR).mkdir()

    [row] = earlier_preparation(visit, us)

    assert row.status == "fail"
    assert "policy0/scaling_governor" in row.found
    assert "not ondemand" in row.found
    assert "restart" in str(row.remedy)


def test_another_hosts_preparation_stays(machine: Machine, visit: Visit, us: Holder):
    other = prepare(machine, replace(us, key="f" * 16, name="bob@lab"))

    [row] = earlier_preparation(visit, us)

    assert row.status == "fail"
    assert "bob@lab" in row.found
    assert machine.read(GOVERNOR) == "performance"
    other.restore()


def test_a_device_without_a_clock_that_nobody_sets(machine: Machine, visit: Visit, us: Holder):
    (machine.proc / "uptime").unlink()

    [row] = earlier_preparation(visit, us)

    assert row.status == "warning"
    assert "/proc/uptime" in row.found
