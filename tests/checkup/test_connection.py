"""A device that does not answer, is lost, or has another time than we have."""

from __future__ import annotations

import time

import pytest

from tests.checkup.boards import pi_commands, pi_files, scripts
from tests.checkup.fake_device import FakeDevice, Lost, rows_of

PI = "raspberry-pi-5"


def pi(commands=None, **answers):
    return rows_of(FakeDevice(pi_files(), {**pi_commands(), **(commands or {})}, scripts(**answers)), PI)


def test_a_device_that_does_not_answer_is_the_only_row():
    device = FakeDevice(commands={"true": Lost})
    rows = rows_of(device, PI)

    assert list(rows) == ["reachable"]
    assert rows["reachable"].status == "fail"
    assert "ssh://pi@board" in str(rows["reachable"].remedy)
    assert len(device.calls) == 1


def test_a_phone_that_does_not_answer():
    rows = rows_of(FakeDevice(commands={"true": Lost}, address="adb://emulator-5554"), "pixel-8")

    assert "adb devices" in str(rows["reachable"].remedy)


def test_the_way_to_a_phone_is_shown():
    class Phone(FakeDevice):
        def way(self):
            return "through the adb server at 127.0.0.1:5037"

    device = Phone(address="adb://emulator-5554")

    assert "answers through the adb server at 127.0.0.1:5037 in" in rows_of(device, "pixel-8")["reachable"].found


def test_a_device_that_is_lost_meanwhile_ends_the_check(monkeypatch):
    device = FakeDevice(pi_files(), {**pi_commands(), "cat /proc/loadavg": Lost}, scripts())
    answers = device.run

    def run(argv, **options):
        if ("cat", "/proc/loadavg") in device.calls:
            device.commands["true"] = Lost
        return answers(argv, **options)

    monkeypatch.setattr(device, "run", run)
    rows = rows_of(device, PI)

    assert list(rows) == ["reachable", "preparation", "clock", "monotonic clock", "load"]
    assert rows["load"].status == "fail"
    assert rows["reachable"].status == "fail"
    assert "memory" not in rows


def test_one_call_that_breaks_off_is_one_row():
    rows = pi(commands={"cat /proc/loadavg": Lost})

    assert rows["load"].status == "fail"
    assert rows["memory"].status == "ok"
    assert rows["executable directory"].status == "ok"


@pytest.mark.parametrize(("off_s", "status"), [(-2, "ok"), (2, "ok"), (3600, "warning"), (-1e9, "warning")])
def test_clock(off_s, status):
    row = pi(commands={"date +%s.%N": f"{time.time() + off_s:.9f}\n"})["clock"]

    assert row.status == status
    if status == "warning":
        assert ("ahead" if off_s > 0 else "behind") in row.found
        assert "timedatectl set-ntp true" in str(row.remedy)


@pytest.mark.parametrize("fraction", ["", ".%N", ".N"])
def test_a_clock_of_whole_seconds_is_known_to_half_a_second(fraction):
    row = pi(commands={"date +%s.%N": f"{int(time.time())}{fraction}\n"})["clock"]

    assert row.status == "ok"
    assert "± 0.5 s" in row.found


@pytest.mark.parametrize("text", ["", "yesterday\n", "1e9\n", "-5\n", "9" * 400])
def test_a_clock_that_says_something_else(text):
    assert pi(commands={"date +%s.%N": text})["clock"].status == "not known"


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        pytest.param("1000.00 1.00\n100.000000000\n", "1001.00 1.00\n101.000000000\n", "ok", id="both run"),
        pytest.param("1000.00 1.00\n100.000000000\n", "1000.00 1.00\n101.000000000\n", "fail", id="stands still"),
        pytest.param("1000.00 1.00\n100.000000000\n", "999.00 1.00\n101.000000000\n", "fail", id="runs back"),
        pytest.param("1000.00 1.00\n100.000000000\n", "1001.00 1.00\n4000.000000000\n", "warning", id="date jumps"),
        pytest.param("1000.00 1.00\n100.%N\n", "1001.00 1.00\n102.%N\n", "ok", id="whole seconds"),
        pytest.param("1000.00 1.00\nno date\n", "1001.00 1.00\nno date\n", "ok", id="no date"),
        pytest.param("no uptime\n100.000000000\n", "1001.00 1.00\n102.000000000\n", "not known", id="no uptime"),
        pytest.param("", "", "not known", id="nothing"),
    ],
)
def test_monotonic_clock(first, second, status):
    assert pi(clock=first + second)["monotonic clock"].status == status
