"""Android's screen: by `settings`, `input` and `dumpsys`, which keep what they are told in a folder."""

from __future__ import annotations

import pytest

from pocketbench.harness.preparation.recovery import recover
from tests.preparation.conftest import guardians, wait_until

SETTINGS = """\
folder={folder}
case $1 in
get) [ -f $folder/$2.$3 ] || {{ echo null; exit 0; }}; cat $folder/$2.$3 ;;
put) echo "$4" >$folder/$2.$3 ;;
delete) rm -f $folder/$2.$3; echo "Deleted 1 rows" ;;
esac
"""
DUMPSYS = """\
echo 'POWER MANAGER (dumpsys power)'
echo
echo 'Power Manager State:'
read -r state <{folder}/wakefulness
echo "  mWakefulness=$state"
echo '  mWakefulnessChanging=false'
"""
INPUT = "case $2 in 224) echo Awake ;; 223) echo Dozing ;; esac >{folder}/wakefulness"


@pytest.fixture
def phone(device, tmp_path):
    folder = tmp_path / "phone"
    folder.mkdir()
    for name, text in (("settings", SETTINGS), ("dumpsys", DUMPSYS), ("input", INPUT)):
        device.add(name, text.format(folder=folder))
    (folder / "wakefulness").write_text("Asleep\n")
    (folder / "global.stay_on_while_plugged_in").write_text("2\n")
    return folder


def said(folder):
    return {path.name: path.read_text().strip() for path in folder.iterdir()}


def test_on_and_put_back(phone, device, machine, prepare):
    before = said(phone)

    preparation = prepare(device, "screen=on", platform="android")

    assert said(phone) == {
        "wakefulness": "Awake",
        "global.stay_on_while_plugged_in": "15",
        "system.screen_off_timeout": "86400000",
    }
    assert [(row.name, row.before, row.status) for row in preparation.record.settings] == [
        ("screen stays on", "2", "set"),
        ("screen timeout", "null", "set"),
        ("screen", "off", "set"),
    ]
    preparation.restore()
    assert said(phone) == {**before, "wakefulness": "Dozing"}
    assert preparation.record.problem is None


def test_off_and_put_back_by_the_guardian(phone, device, machine, prepare):
    (phone / "wakefulness").write_text("Awake\n")
    before = said(phone)
    prepare(device, "screen=off", platform="android")
    assert said(phone) == {**before, "wakefulness": "Dozing"}

    machine.set_clock(2000)

    wait_until(lambda: not guardians(machine), "the guardian has ended")
    assert said(phone) == before


def test_settings_outlive_a_restart_and_are_put_back_after_it(phone, device, machine, prepare, holder):
    before = said(phone)
    prepare(device, "screen=on", "fan=full", platform="android")
    machine.boot("11111111-8c4e-4a7c-9d8d-0123456789ab")
    (phone / "wakefulness").write_text("Asleep\n")
    machine.set_clock(5)

    restoration = recover(device, machine.place, platform="android", holder=holder)

    assert said(phone) == before
    assert restoration is not None
    assert {item.node: item.status for item in restoration.items} == {
        "setting/global/stay_on_while_plugged_in": "restored",
        "setting/system/screen_off_timeout": "restored",
        "screen": "rebooted",
        "sys/class/hwmon/hwmon2/pwm1": "rebooted",
    }


def test_a_screen_that_goes_off_is_switched_on_again(phone, device, prepare):
    preparation = prepare(device, "screen=on", platform="android")
    (phone / "wakefulness").write_text("Asleep\n")

    (change,) = preparation.renew()

    assert (change.name, change.instead, change.found) == ("screen", "off", "on")
    preparation.restore()


@pytest.mark.parametrize("name", ["settings", "dumpsys"])
def test_what_the_phone_does_not_say_is_not_set(phone, device, prepare, name):
    device.add(name, "echo 'java.lang.SecurityException: no' >&2; exit 255")

    preparation = prepare(device, "screen=on", platform="android")

    refused = {row.name for row in preparation.record.settings if row.status == "refused"}
    assert refused == ({"screen"} if name == "dumpsys" else {"screen stays on", "screen timeout"})
    preparation.restore()


def test_a_setting_that_the_phone_does_not_take(phone, device, prepare):
    device.add("settings", "if [ $1 = get ]; then echo 60000; else echo 'not allowed' >&2; exit 1; fi")

    preparation = prepare(device, "screen=on", platform="android")

    row = next(row for row in preparation.record.settings if row.name == "screen timeout")
    assert (row.status, row.reason) == ("refused", "written, and it says 60000 (not allowed)")
    preparation.restore()
