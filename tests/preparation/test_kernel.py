"""What the kernel takes, refuses and says is believed only after it is read back, and never taken for a command."""

from __future__ import annotations

import os

import pytest

from pocketbench.checked.errors import DeviceError
from pocketbench.harness.preparation.recovery import recover
from tests.preparation.conftest import guardians, wait_until
from tests.preparation.machine import CPUFREQ, FAN

GOVERNOR = f"{CPUFREQ}/policy0/scaling_governor"
HOSTILE = [
    "$(touch hacked)",
    "`touch hacked`",
    "ondemand; touch hacked",
    "*",
    "-n",
    "ondemand\\c",
    "x" * 5000,
    "\x1b[2J",
    "é",
    "../../../etc/passwd",
    "ondemand\nnode sys/x - y",
]


def rows(preparation):
    return {row.name: row for row in preparation.record.settings}


def refusing(machine, name, kernel_file):
    """A node of this kernel's own, which takes no words."""
    (machine.sys / name).unlink()
    (machine.sys / name).symlink_to(kernel_file)


@pytest.mark.parametrize(
    ("kernel_file", "says"),
    [
        pytest.param("/proc/self/oom_score_adj", "Invalid argument|I/O error", id="EINVAL"),
        pytest.param("/proc/sys/kernel/ostype", "ermission denied", id="EACCES"),
    ],
)
def test_a_governor_that_the_kernel_refuses(device, machine, prepare, kernel_file, says):
    refusing(machine, GOVERNOR, kernel_file)
    before = machine.read(GOVERNOR)
    machine.write(f"{CPUFREQ}/policy0/scaling_available_governors", f"{before} performance")

    preparation = prepare(device, "governor=performance", "fan=full")

    row = rows(preparation)["policy0 governor"]
    assert (row.status, row.before, row.wanted, row.found) == ("refused", before, "performance", before)
    assert row.reason.startswith(f"written, and it says {before} (")
    assert any(words in row.reason for words in says.split("|"))
    assert rows(preparation)["fan"].status == "set"
    assert preparation.renew() == ()  # what was refused is not asked for again and again
    preparation.restore()
    assert machine.read(FAN) == "75"


def test_a_value_that_does_not_go_back_is_tried_again(machine, prepare, dash, holder):
    preparation = prepare(dash, "fan=full", "frequency=1700MHz")
    lowest = f"{CPUFREQ}/policy0/scaling_min_freq"
    (machine.sys / lowest).unlink()
    (machine.sys / lowest).symlink_to("/proc/sys/kernel/ostype")

    preparation.restore()

    assert preparation.record.problem == f"sys/{lowest} says Linux, not 1500000"
    assert machine.read(FAN) == "75"
    assert machine.read(f"{CPUFREQ}/policy0/scaling_max_freq") == "2400000"
    with pytest.raises(DeviceError, match=r"got Linux for .*scaling_min_freq, which was 1500000: restart the device"):
        prepare(dash, "fan=full")
    (machine.sys / lowest).unlink()
    machine.write(lowest, "1700000")
    restoration = recover(dash, machine.place, platform="linux", holder=holder)
    assert restoration is not None
    assert [item.status for item in restoration.items] == ["restored"]
    assert machine.read(lowest) == "1500000"
    assert not (machine.preparation / "state").exists()


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("node", ["scaling_governor", "scaling_min_freq"])
def test_what_could_not_be_put_back_is_not_set(machine, prepare, dash, text, node):
    machine.write(f"{CPUFREQ}/policy0/{node}", text)
    machine.write(f"{CPUFREQ}/policy0/scaling_available_governors", f"performance ondemand {text}")
    before = machine.all()

    preparation = prepare(dash, "governor=performance", "frequency=1700MHz")

    name = "policy0 governor" if node == "scaling_governor" else "policy0 frequency"
    if text.startswith("ondemand\n"):  # a first line that is right is what the node says
        assert preparation.record.settings
    else:
        assert rows(preparation)[name].status in ("refused", "not possible")
        assert (machine.sys / CPUFREQ / "policy0" / node).read_text() == before[f"{CPUFREQ}/policy0/{node}"]
    preparation.restore()
    assert not os.path.lexists("hacked")
    assert guardians(machine) == []


@pytest.mark.parametrize("text", HOSTILE[:-1])
def test_a_governor_with_a_setting_that_could_not_be_put_back_stays(machine, prepare, dash, text):
    machine.write(f"{CPUFREQ}/ondemand/up_threshold", text)

    row = rows(prepare(dash, "governor=performance"))["policy0 governor"]

    assert (row.status, row.found) == ("refused", "ondemand")
    assert row.reason == "ondemand has the setting up_threshold, which could not be put back"
    assert machine.read(GOVERNOR) == "ondemand"


def test_a_setting_of_the_governor_with_a_hostile_name(machine, prepare, dash):
    machine.write(f"{CPUFREQ}/ondemand/$(touch hacked)", "1")

    assert rows(prepare(dash, "governor=performance"))["policy0 governor"].status == "refused"
    assert not os.path.lexists("hacked")


def test_what_lies_in_our_folder_is_checked_again(machine, prepare, dash, tmp_path):
    """Root follows neither names nor values that somebody wrote there."""
    preparation = prepare(dash, "fan=full")
    (target := tmp_path / "target").write_text("untouched\n")
    state = machine.preparation / "state"
    relative = os.path.relpath(target, machine.sys)
    lines = [
        f"node sys/{relative} - 1",
        f"node sys/{CPUFREQ}/../../../../{relative} - 1",
        f"node {target} - 1",
        f"node sys/{GOVERNOR} - $(touch hacked)",
        "node setting/global/adb_enabled - 0",
    ]
    state.write_text(state.read_text().replace("end\n", "".join(f"{line}\n" for line in lines) + "end\n"))
    plan = machine.preparation / "plan"
    plan.write_text(
        plan.read_text() + "".join(line.replace("node ", "set ").replace(" - ", " ") + "\n" for line in lines)
    )
    for name in ("deadline.new", "state.new", "last.new"):
        (machine.preparation / name).symlink_to(target)

    preparation.renew()
    preparation.restore()

    assert target.read_text() == "untouched\n"
    assert not os.path.lexists("hacked")
    assert machine.read(GOVERNOR) == "ondemand"
    assert machine.read(FAN) == "75"


@pytest.mark.parametrize("text", ["", "format 1\n", "format 1\ntoken xyz\nend\n", "\0\0\0", "end\n" * 3])
def test_a_damaged_record_is_told(machine, prepare, dash, holder, text):
    prepare(dash, "fan=full")
    (guardian,) = guardians(machine)
    (machine.preparation / "state").write_text(text)
    (machine.preparation / "deadline").unlink()
    wait_until(lambda: not guardians(machine), f"the guardian {guardian} has seen it")

    with pytest.raises(DeviceError, match="got a damaged file: restart the device"):
        recover(dash, machine.place, platform="linux", holder=holder)

    prepare(dash, "fan=full").restore()


def test_a_device_without_a_clock_of_its_own_is_not_prepared(machine, prepare, dash):
    (machine.proc / "uptime").unlink()
    before = machine.all()

    with pytest.raises(DeviceError, match="got no /proc/uptime"):
        prepare(dash, "fan=full")

    assert machine.all() == before


def test_a_directory_that_cannot_be_written(machine, prepare, dash):
    machine.preparation.write_text("a file\n")

    with pytest.raises(DeviceError, match="expected to look at what was and can be prepared"):
        prepare(dash, "fan=full")

    assert machine.read(FAN) == "75"
