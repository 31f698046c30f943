"""Phones that charge, are hot, asleep, or whose services were set by hand."""

from __future__ import annotations

import pytest

from pocketbench.harness.checkup.device import exit_code
from tests.checkup.boards import scripts
from tests.checkup.fake_device import FakeDevice, rows_of
from tests.checkup.phones import (
    BATTERY,
    POWER,
    SAMSUNG_BATTERY,
    SAMSUNG_THERMAL,
    THERMAL,
    phone_commands,
    phone_files,
)

DIRECTORY = "/data/local/tmp/pocketbench"


def phone(commands=None, files=None, profile="generic-android", address="adb://R5CT", **answers):
    texts = {**phone_commands(), **(commands or {})}
    device = FakeDevice({**phone_files(), **(files or {})}, texts, scripts(**answers), address=address)
    return rows_of(device, profile, DIRECTORY)


def test_a_phone_on_a_usb_cable():
    rows = phone()

    assert {name: row.status for name, row in rows.items() if row.status != "ok"} == {
        "charging": "warning",
        "sensor battery-current": "not known",
        "sensor battery-current-service": "not known",
        "sensor battery-voltage": "not known",
        "sensor frequency-residency": "not known",
    }
    assert exit_code(list(rows.values())) == 0
    assert rows["battery"].found == "76 %, 27.4 °C, health good"
    assert rows["charging"].found.startswith("charging, plugged into USB:")
    assert rows["temperature"].found == "CPU 57.9 °C, VIRTUAL-SKIN 31.6 °C"
    assert rows["screen"].found == "on, and stays on"
    assert rows["load"].status == "ok"  # its load average of 8 says nothing
    assert "swap" in rows
    assert "turbo" not in rows
    assert "Permission denied" in rows["sensor battery-current"].found
    assert "rooted" in str(rows["sensor battery-current"].remedy)
    assert "a number was expected" in rows["sensor battery-current-service"].found
    assert rows["sensor cpu-frequency"].found.startswith(
        "/sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq is 1704000 kHz, 1 may not be read;"
    )


def test_a_hot_phone_of_samsung_with_a_low_battery():
    rows = phone({"dumpsys battery": SAMSUNG_BATTERY, "dumpsys thermalservice": SAMSUNG_THERMAL})

    assert rows["throttling"].status == "fail"
    assert rows["throttling"].found == "thermal status 3 (severe)"
    assert rows["temperature"].found == "AP 71.3 °C, SKIN 41.4 °C, BAT 36.1 °C"
    assert rows["battery"].status == "warning"
    assert rows["battery"].found.startswith("18 %, 27.4 °C")
    assert exit_code(list(rows.values())) == 3


def test_a_phone_close_to_where_it_throttles():
    rows = phone({"dumpsys thermalservice": THERMAL.replace("31.600002", "37.5")})

    assert rows["temperature"].status == "warning"
    assert rows["temperature"].found == "VIRTUAL-SKIN 37.5 °C of the 39.0 °C where it throttles"
    assert rows["throttling"].status == "ok"


def test_services_that_were_set_by_hand_say_nothing():
    frozen = BATTERY.replace("state:\n", "state:\n  (UPDATES STOPPED -- use 'reset' to restart)\n")
    overridden = THERMAL.replace("IsStatusOverride: false", "IsStatusOverride: true")
    rows = phone({"dumpsys battery": frozen, "dumpsys thermalservice": overridden})

    assert rows["battery"].status == "warning"
    assert rows["battery"].remedy == "adb -s R5CT shell dumpsys battery reset"
    assert "charging" not in rows
    assert rows["throttling"].status == "warning"
    assert rows["throttling"].remedy == "adb -s R5CT shell cmd thermalservice reset"


@pytest.mark.parametrize(
    ("old", "new", "status", "remedy"),
    [
        ("mStayOn=true", "mStayOn=false", "warning", "svc power stayon true"),
        ("mWakefulness=Awake", "mWakefulness=Dozing", "warning", "KEYCODE_WAKEUP"),
        ("mWakefulness=Awake", "mWakefulness=", "not known", ""),
    ],
)
def test_screen(old, new, status, remedy):
    row = phone({"dumpsys power": POWER.replace(old, new)})["screen"]

    assert row.status == status
    assert remedy in str(row.remedy)


def test_a_screen_that_goes_off_after_hours_is_as_good_as_one_that_stays_on():
    text = POWER.replace("mStayOn=true", "mStayOn=false").replace("30000 ms", "7200000 ms")

    assert phone({"dumpsys power": text})["screen"].status == "ok"


@pytest.mark.parametrize(("answer", "status"), [("1\n", "warning"), ("null\n", "ok"), ("maybe\n", "not known")])
def test_power_saving(answer, status):
    assert phone({"settings get global low_power": answer})["power saving"].status == status


@pytest.mark.parametrize(
    ("old", "new", "question", "status"),
    [
        ("temperature: 274", "temperature: 431", "battery", "warning"),
        ("health: 2", "health: 3", "battery", "warning"),
        ("  level: 76\n", "", "battery", "not known"),
        ("USB powered: true", "USB powered: false", "charging", "warning"),  # its status still says charging
        ("status: 2", "status: 5", "charging", "warning"),  # full, on the cable
    ],
)
def test_battery(old, new, question, status):
    assert phone({"dumpsys battery": BATTERY.replace(old, new)})[question].status == status


def test_a_phone_that_runs_on_its_battery():
    text = BATTERY.replace("USB powered: true", "USB powered: false").replace("status: 2", "status: 3")
    row = phone({"dumpsys battery": text}, address="adb+tcp://192.0.2.7")["charging"]

    assert row.status == "ok"
    assert row.found == "discharging, plugged into nothing"


def test_services_that_do_not_exist():
    missing = (20, "", "Can't find service: thermalservice\n")
    rows = phone({"dumpsys battery": missing, "dumpsys thermalservice": missing, "dumpsys power": missing})

    for question in ("battery", "temperature", "throttling", "screen"):
        assert rows[question].status == "not known", question


def test_a_program_that_selinux_forbids():
    refused = (126, "there /sdcard/x\nsh: ./.check-0: can't execute: Permission denied\n", "")
    row = phone({"cat /proc/mounts": "/dev/block/dm-1 / ext4 ro,seclabel 0 0\n"}, program=refused)[
        "executable directory"
    ]

    assert row.status == "fail"
    assert "can't execute: Permission denied (SELinux is enforcing)" in row.found
    assert "--directory /data/local/tmp/pocketbench" in str(row.remedy)


def test_a_command_for_a_phone_on_the_network_names_its_place():
    row = phone({"settings get global low_power": "1\n"}, address="adb+tcp://192.0.2.7")["power saving"]

    assert row.remedy == "adb -s 192.0.2.7:5555 shell settings put global low_power 0"
