"""However pocketbench ends, and whatever is cut in between, the device is as it was in the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from pocketbench.checked.errors import DeviceError, InputError
from pocketbench.harness.errors import TransportError
from pocketbench.harness.preparation.device_scripts import run_script
from pocketbench.harness.preparation.prepared import prepared
from pocketbench.harness.preparation.recovery import recover
from pocketbench.harness.preparation.wanted import parse_wanted
from pocketbench.harness.transports.base import Transport
from pocketbench.harness.transports.local import LocalTransport
from tests.preparation.conftest import guardians, restored, wait_until
from tests.preparation.machine import CPUFREQ, FAN
from tests.preparation.through import Through

WORDS = ("governor=performance", "frequency=1700MHz", "fan=full")
GOVERNOR = f"{CPUFREQ}/policy0/scaling_governor"

# A pocketbench that prepares and then measures for ever.
HOST = """
import sys, time
from pathlib import Path, PurePosixPath
from pocketbench.harness.preparation.device_scripts import Place
from pocketbench.harness.preparation.holder import this_holder
from pocketbench.harness.preparation.device_scripts import run_script
from pocketbench.harness.preparation.prepared import Preparation
from pocketbench.harness.preparation.wanted import parse_wanted
from pocketbench.harness.transports.base import Transport
from pocketbench.harness.transports.local import LocalTransport

directory, sys_root, proc, home = sys.argv[1:5]
place = Place(PurePosixPath(directory), PurePosixPath(sys_root), PurePosixPath(proc))
holder, wanted = this_holder(Path(home)), parse_wanted(sys.argv[5:])
Preparation(
    LocalTransport(), place, wanted, platform="linux", holder=holder, lease_s=100, poll_s=1
).prepare()
print("prepared", flush=True)
time.sleep(600)
"""


class Cable(Through):
    """A transport that breaks after `calls`: the next one is lost, or it `arrives` and its answer is lost."""

    def __init__(self, inner: Transport, calls: int, *, arrives: bool) -> None:
        super().__init__(inner)
        self._calls_left = calls
        self._arrives = arrives

    def run(self, argv, *, timeout_s, stdin=b""):
        self._calls_left -= 1
        if self._calls_left == -1 and self._arrives:
            super().run(argv, timeout_s=timeout_s, stdin=stdin)
        if self._calls_left < 0:
            raise TransportError("the cable was pulled")
        return super().run(argv, timeout_s=timeout_s, stdin=stdin)


def killed_host(machine, home):
    """What it had prepared is set when this returns, and its process is gone."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    places = [str(machine.place.directory), str(machine.sys), str(machine.proc), str(home)]
    argv = [sys.executable, "-c", HOST, *places, *WORDS]
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "prepared\n"
            assert machine.read(GOVERNOR) == "performance"
        finally:
            process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)


def test_the_guardian_puts_back_what_a_killed_host_has_set(machine, tmp_path):
    before = machine.all()
    killed_host(machine, tmp_path)
    assert machine.all() != before

    machine.set_clock(1100)

    wait_until(lambda: not guardians(machine), "the guardian has ended")
    assert machine.all() == before


def test_the_next_pocketbench_here_puts_back_at_once_what_a_killed_one_has_set(machine, holder, tmp_path):
    before = machine.all()
    killed_host(machine, tmp_path / "home")

    restoration = recover(LocalTransport(), machine.place, platform="linux", holder=holder)

    assert machine.all() == before
    assert restoration is not None
    assert restoration.by == holder.text
    wait_until(lambda: not guardians(machine), "the guardian has ended")


def test_ctrl_c_puts_back(machine, holder):
    before = machine.all()

    wanted, records = parse_wanted(WORDS), []

    def run():
        with prepared(LocalTransport(), machine.place, wanted, platform="linux", holder=holder) as preparation:
            records.append(preparation)
            assert machine.all() != before
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()

    assert machine.all() == before
    assert records[0].record.restoration is not None


@pytest.mark.parametrize("arrives", [False, True], ids=["lost", "done-and-not-heard"])
@pytest.mark.parametrize("calls", [0, 1, 2, 3])
def test_a_cable_that_is_pulled_at_any_call(machine, holder, dash, caplog, calls, arrives):
    """Left, survey, apply, and restore: the guardian finishes what this side cannot."""
    before = machine.all()
    cable = Cable(dash, calls, arrives=arrives)
    wanted = parse_wanted(WORDS)

    def run():
        with prepared(cable, machine.place, wanted, platform="linux", holder=holder) as preparation:
            pass
        return preparation

    if calls < 3:
        with pytest.raises(TransportError, match="the cable was pulled"):
            run()
    else:
        preparation = run()
        assert preparation.record.problem == "the cable was pulled"
        assert "is not yet as it was" in caplog.text
    machine.set_clock(100_000)

    recover(dash, machine.place, platform="linux", holder=holder)
    assert machine.all() == before
    assert not (machine.preparation / "state").exists()
    wait_until(lambda: not guardians(machine), "the guardian has ended")


def test_a_cable_that_is_plugged_in_too_late(machine, prepare, dash):
    """The device has put itself back: it is prepared anew, and the launch before is known to be spoilt."""
    preparation = prepare(dash, *WORDS)
    first = preparation.record.token
    machine.set_clock(1101)
    wait_until(lambda: not guardians(machine), "the guardian has ended")

    (change,) = preparation.renew()

    assert change.reason.startswith("put back by guardian at ")
    assert change.reason.endswith("; prepared again")
    assert machine.read(GOVERNOR) == "performance"
    assert preparation.record.token != first
    preparation.restore()
    assert machine.read(GOVERNOR) == "ondemand"


def test_a_device_that_restarts_is_prepared_again(machine, prepare, dash):
    preparation = prepare(dash, *WORDS)
    for guardian in guardians(machine):
        os.killpg(guardian, signal.SIGKILL)
    machine.boot("11111111-8c4e-4a7c-9d8d-0123456789ab")
    machine.set_clock(9)
    machine.write(GOVERNOR, "ondemand")

    (change,) = preparation.renew()

    assert change.name == "preparation"
    assert machine.read(GOVERNOR) == "performance"


def test_a_launch_that_takes_long_asks_for_its_time(machine, prepare, dash):
    preparation = prepare(dash, *WORDS)
    preparation.renew(lease_s=5000)

    assert (machine.preparation / "deadline").read_text().split() == ["6000", preparation.record.token]


def test_what_was_there_is_on_the_disk_before_anything_is_changed(machine, prepare, dash, tmp_path):
    seen = tmp_path / "seen"
    state = machine.preparation / "state"
    dash.add(
        "sync",
        f'[ -d {seen} ] || {{ mkdir {seen}; while read -r l; do echo "$l"; done <"{state}" >{seen}/state; '
        f'read -r g <{machine.sys}/{GOVERNOR}; echo "$g" >{seen}/governor; }}',
    )

    prepare(dash, *WORDS)

    assert (seen / "governor").read_text() == "ondemand\n"
    assert f"node sys/{GOVERNOR} - ondemand\n" in (seen / "state").read_text()


def test_an_apply_that_is_killed_in_between_is_put_back(machine, prepare, dash, tmp_path):
    before = machine.all()
    # Whoever sets the screen, which comes last, is killed with all that it started.
    dash.add("settings", 'if [ "$1" = get ]; then echo 7; else kill -9 0; fi')
    dash.add("dumpsys", "echo '  mWakefulness=Awake'")

    with pytest.raises(DeviceError):
        prepare(dash, *WORDS, "screen=on", platform="android")

    assert machine.read(GOVERNOR) == "performance"
    dash.add("settings", "echo 7")
    machine.set_clock(1100)
    wait_until(lambda: not guardians(machine), "the guardian has ended")
    assert machine.all() == before


def test_no_guardian_no_change(machine, prepare, dash):
    before = machine.all()
    dash.add("setsid", "exit 1")

    with pytest.raises(DeviceError, match="got no process that stays when we are gone"):
        prepare(dash, *WORDS)

    assert machine.all() == before
    assert not (machine.preparation / "state").exists()


def test_without_setsid_it_stays_as_well(machine, prepare, dash):
    (dash.folder / "setsid").unlink()
    before = machine.all()
    preparation = prepare(dash, *WORDS)
    assert machine.read(FAN) == "255"
    machine.set_clock(2000)

    wait_until(lambda: not (machine.preparation / "state").exists(), "the guardian has put it back")

    assert machine.all() == before
    preparation.restore()
    assert restored(preparation).by == "guardian"


def test_without_flock_nothing_is_set(machine, prepare, dash):
    (dash.folder / "flock").unlink()
    before = machine.all()

    preparation = prepare(dash, *WORDS)

    assert {(row.status, row.remedy) for row in preparation.record.settings} == {
        ("refused", "install util-linux or busybox there")
    }
    assert machine.all() == before
    assert preparation.renew() == ()
    preparation.restore()


class TestTwoHosts:
    def test_the_second_one_is_told_who_holds_it(self, machine, prepare, holder, dash):
        other = replace(holder, key="0" * 16, name="bob@lab-pc", process_id=4711)
        prepare(dash, *WORDS, by=other)
        prepared_by_bob = machine.all()

        with pytest.raises(
            InputError, match=r"got a preparation by bob@lab-pc \(process 4711 there\) since 20.*ends in 100 s"
        ):
            prepare(dash, "fan=full")

        assert machine.all() == prepared_by_bob

    def test_a_living_sibling_is_another_host(self, machine, prepare, dash):
        prepare(dash, *WORDS)

        with pytest.raises(InputError, match=f"process {os.getpid()} there"):
            prepare(dash, "fan=full")

    def test_the_second_one_goes_on_when_the_first_one_is_over(self, machine, prepare, holder, dash):
        before = machine.all()
        other = replace(holder, key="0" * 16, name="bob@lab-pc")
        first = prepare(dash, *WORDS, by=other)
        machine.set_clock(1100)

        second = prepare(dash, "frequency=1800MHz")

        assert machine.read(GOVERNOR) == "ondemand"
        assert second.record.settings[0].before == "1500000"
        deadline = (machine.preparation / "deadline").read_text()
        first.restore()  # the second one has put back what was the first one's
        assert (first.record.problem, first.record.restoration) == (None, None)
        assert (machine.preparation / "deadline").read_text() == deadline
        assert machine.read(f"{CPUFREQ}/policy0/scaling_max_freq") == "1800000"
        second.restore()
        assert machine.all() == before

    def test_one_that_is_over_cannot_end_the_lease_of_another(self, machine, prepare, dash):
        prepare(dash, "fan=full")
        deadline = (machine.preparation / "deadline").read_text()

        assert run_script(dash, "release", machine.place, "0" * 32).exit_code == 0

        assert (machine.preparation / "deadline").read_text() == deadline

    def test_both_at_once(self, machine, holder, dash):
        """Both have looked, and found it free: the lock decides."""
        outcomes = []
        processes = []
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        for number in range(3):
            home = machine.folder / f"home{number}"
            home.mkdir()
            places = [str(machine.place.directory), str(machine.sys), str(machine.proc), str(home)]
            argv = [sys.executable, "-c", HOST.replace("time.sleep(600)", ""), *places, "fan=full"]
            processes.append(
                subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            )
        for process in processes:
            stdout, stderr = process.communicate(timeout=120)
            outcomes.append(stdout == "prepared\n")
            assert stdout or "to be prepared by nobody" in stderr

        assert outcomes.count(True) == 1
        machine.set_clock(2000)
        wait_until(lambda: not guardians(machine), "the guardian has ended")
        assert machine.read(FAN) == "75"
