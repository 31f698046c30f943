"""A Raspberry Pi and a PC, healthy and not."""

from __future__ import annotations

import pytest

from pocketbench.harness.checkup.device import exit_code
from tests.checkup.boards import (
    MEMINFO,
    common_commands,
    pc_files,
    pi_commands,
    pi_files,
    scripts,
)
from tests.checkup.fake_device import DENIED, FakeDevice, rows_of

PI = "raspberry-pi-5"
PC = "this-computer"


def pi(files=None, commands=None, **answers):
    device = FakeDevice({**pi_files(), **(files or {})}, {**pi_commands(), **(commands or {})}, scripts(**answers))
    return rows_of(device, PI)


def pc(files=None, **answers):
    device = FakeDevice(
        {**pc_files(), **(files or {})}, common_commands("x86_64", "6.12.48+deb13-amd64"), scripts(**answers)
    )
    return rows_of(device, PC)


def test_a_healthy_raspberry_pi_is_ok_but_for_its_governor():
    rows = pi()

    assert {name: row.status for name, row in rows.items() if row.status != "ok"} == {"governor policy0": "warning"}
    assert exit_code(list(rows.values())) == 0
    assert rows["temperature"].found == "SoC (firmware) 48.8 °C, cpu-thermal 48.3 °C"
    assert rows["under-voltage"].found == "none since it started"
    assert rows["governor policy0"].remedy is not None
    assert "echo performance | sudo tee /sys/devices/system/cpu/cpufreq/policy*/scaling_governor" in (
        rows["governor policy0"].remedy
    )
    assert rows["page size"].found.startswith("16 KiB")
    assert rows["load"].found == "1% of 4 cores busy during one second, load average 0.05"
    assert rows["sensor requested-frequency"].found == (
        "/sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq is 1500000 kHz; 500 reads and 10 changes per second"
    )
    assert rows["sensor pmic-rails"].found.startswith("`vcgencmd pmic_read_adc` gives 4 lines (3V7_WL_SW_A current(0)")


@pytest.mark.parametrize(
    ("bits", "throttling", "under_voltage"),
    [
        pytest.param("0x50000", "warning", "warning", id="both since it started"),
        pytest.param("0x50005", "fail", "fail", id="both now"),
        pytest.param("0x10001", "ok", "fail", id="weak supply only"),
        pytest.param("0xe0008", "fail", "ok", id="soft temperature limit"),
        pytest.param("0x20002", "fail", "ok", id="frequency capped"),
        pytest.param("0x0", "ok", "ok", id="neither"),
    ],
)
def test_bits_of_the_firmware(bits, throttling, under_voltage):
    rows = pi(commands={"vcgencmd get_throttled": f"throttled={bits}\n"})

    assert rows["throttling"].status == throttling
    assert rows["under-voltage"].status == under_voltage
    assert exit_code(list(rows.values())) == (3 if "fail" in (throttling, under_voltage) else 0)
    if under_voltage != "ok":
        assert "power supply" in str(rows["under-voltage"].remedy)


def test_without_the_group_video_the_kernel_tells_of_under_voltage():
    refused = (255, "", "Can't open device file: /dev/vcio\nTry creating a device file with: sudo mknod …\n")
    commands = {name: refused for name in pi_commands() if name.startswith("vcgencmd")}
    alarm = "/sys/class/hwmon/hwmon2/in0_lcrit_alarm"
    rows = pi(commands=commands)

    assert rows["throttling"].status == "not known"
    assert "usermod -aG video" in str(rows["throttling"].remedy)
    assert rows["under-voltage"].found == "the kernel reports none"
    assert rows["temperature"].found == "cpu-thermal 48.3 °C"
    assert rows["sensor throttled"].status == "not known"
    assert "usermod -aG video" in str(rows["sensor throttled"].remedy)
    assert pi(files={alarm: "1\n"}, commands=commands)["under-voltage"].status == "fail"
    assert pi(files={alarm: DENIED}, commands=commands)["under-voltage"].status == "not known"


def test_what_the_profile_of_a_kind_of_device_names_is_expected_to_be_there():
    rows = pi(commands={name: (127, "", "not found") for name in pi_commands() if name.startswith("vcgencmd")})

    assert rows["sensor soc-temperature"].status == "warning"
    assert rows["sensor soc-temperature"].found == "no command vcgencmd, which the profile raspberry-pi-5 expects"
    assert "--profile PROFILE" in str(rows["sensor soc-temperature"].remedy)
    assert "under-voltage" in rows  # the kernel still says
    assert rows["throttling"].status == "not known"


@pytest.mark.parametrize(("celsius", "status"), [("59.9", "ok"), ("60.0", "warning"), ("84.5", "warning")])
def test_temperature(celsius, status):
    assert pi(commands={"vcgencmd measure_temp": f"temp={celsius}'C\n"})["temperature"].status == status


def test_a_plugged_in_laptop():
    rows = pc()

    assert {name: row.status for name, row in rows.items() if row.status != "ok"} == {
        "turbo": "warning",
        "sensor cpu-frequency": "not known",
        "sensor package-energy": "not known",
    }
    assert rows["governor policy0"].found == "powersave of intel_pstate, which follows the load"
    assert "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo" in str(rows["turbo"].remedy)
    assert rows["temperature"].found == "x86_pkg_temp 44.0 °C, acpitz 27.8 °C"
    assert rows["battery"].found == "80 %, not charging"
    assert "under-voltage" not in rows
    assert "screen" not in rows
    assert "Permission denied" in rows["sensor package-energy"].found
    assert "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj" in str(rows["sensor package-energy"].remedy)


@pytest.mark.parametrize(
    ("path", "text", "question", "status"),
    [
        ("/sys/class/power_supply/BAT0/status", "Discharging\n", "battery", "warning"),
        ("/sys/class/power_supply/BAT0/status", "Charging\n", "battery", "ok"),
        ("/sys/devices/system/cpu/intel_pstate/no_turbo", "1\n", "turbo", "ok"),
        ("/sys/devices/system/cpu/cpu1/thermal_throttle/package_throttle_count", "17\n", "throttling", "warning"),
        ("/sys/devices/system/cpu/cpufreq/policy0/scaling_driver", "acpi-cpufreq\n", "governor policy0", "warning"),
        ("/sys/devices/system/cpu/cpufreq/policy0/scaling_governor", "performance\n", "governor policy0", "ok"),
        ("/sys/devices/system/cpu/cpufreq/policy0/scaling_governor", DENIED, "governor policy0", "not known"),
        ("/proc/meminfo", MEMINFO.replace("7411232", "200000"), "memory", "warning"),
        ("/proc/meminfo", MEMINFO.replace("SwapFree:        2097136", "SwapFree:        1097136"), "swap", "warning"),
        ("/proc/meminfo", MEMINFO.replace("SwapTotal:       2097136", "SwapTotal:       0"), "swap", "ok"),
        ("/proc/meminfo", "", "memory", "not known"),
    ],
)
def test_one_file_of_a_pc(path, text, question, status):
    assert pc(files={path: text})[question].status == status


def test_a_busy_computer():
    stat = "cpu  1000 0 500 90000 100 0 10 0 0 0\ncpu  1100 0 501 90300 100 0 10 0 0 0\n"
    row = pc(stat=stat)["load"]

    assert row.status == "warning"
    assert row.found.startswith("25% of 4 cores busy")


def test_a_policy_has_a_row_of_its_own():
    folder = "/sys/devices/system/cpu/cpufreq"
    rows = pc(
        files={f"{folder}/policy10/scaling_governor": "schedutil\n", f"{folder}/policy4/scaling_governor": "ondemand\n"}
    )

    assert [name for name in rows if name.startswith("governor")] == [
        "governor policy0",
        "governor policy4",
        "governor policy10",
    ]
    assert rows["governor policy4"].remedy is not None
    assert "no better one is offered" in rows["governor policy4"].remedy
