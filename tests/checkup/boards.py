"""Texts of a Raspberry Pi 5 and of a PC, in the formats that docs and captures of public projects quote."""

from __future__ import annotations

import time

__all__ = ["MEMINFO", "common_commands", "common_files", "pc_files", "pi_commands", "pi_files", "scripts"]

_POLICY = "/sys/devices/system/cpu/cpufreq/policy0"
# Raspberry Pi 5, 8 GB
MEMINFO = """MemTotal:        8256856 kB
MemFree:         6120012 kB
MemAvailable:    7411232 kB
Buffers:           55840 kB
SwapTotal:       2097136 kB
SwapFree:        2097136 kB
"""


def common_commands(machine: str = "aarch64", kernel: str = "6.12.47+rpt-rpi-2712") -> dict[str, object]:
    """What every Linux answers."""
    return {
        "uname -r -m": f"{kernel} {machine}\n",
        "date +%s.%N": f"{time.time():.9f}\n",
        "cat /proc/loadavg": "0.05 0.08 0.01 1/187 2211\n",
        "grep -m 1 KernelPageSize /proc/self/smaps": "KernelPageSize:       16 kB\n",
    }


def common_files() -> dict[str, str | None]:
    """What every Linux has."""
    return {
        "/proc/meminfo": MEMINFO,
        "/proc/loadavg": "0.05 0.08 0.01 1/187 2211\n",
        "/sys/devices/system/cpu/online": "0-3\n",
    }


def scripts(**changes: object) -> dict[str, object]:
    """Answers to the scripts, by a part of each: `clock`, `stat`, `df`, `program` may be replaced."""
    answers = {
        "clock": "1000.00 3900.00\n1764048000.100000000\n1001.02 3904.00\n1764048001.120000000\n",
        "stat": "cpu  1000 0 500 90000 100 0 10 0 0 0\ncpu  1002 0 501 90397 100 0 10 0 0 0\n",
        "df": (
            "Filesystem     1024-blocks    Used Available Capacity Mounted on\n"
            "/dev/mmcblk0p2    59832656 6291456  50475864      12% /\n"
        ),
        "program": "there /home/pi/pocketbench\nruns\n",
        **changes,
    }
    parts = {"/proc/uptime; date": "clock", "/proc/stat": "stat", "df -Pk": "df", '"./$2" 2>&1': "program"}
    return {part: answers[name] for part, name in parts.items()}


def pi_files() -> dict[str, str | None]:
    """A healthy one."""
    return {
        **common_files(),
        f"{_POLICY}/scaling_governor": "ondemand\n",
        f"{_POLICY}/scaling_driver": "cpufreq-dt\n",
        f"{_POLICY}/scaling_available_governors": "conservative ondemand userspace powersave performance schedutil\n",
        f"{_POLICY}/scaling_cur_freq": "1500000\n",
        "/sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
        "/sys/class/thermal/thermal_zone0/temp": "48312\n",
        "/sys/class/hwmon/hwmon0/name": "cpu_thermal\n",
        "/sys/class/hwmon/hwmon2/name": "rpi_volt\n",
        "/sys/class/hwmon/hwmon2/in0_lcrit_alarm": "0\n",
    }


def pi_commands(throttled: str = "0x0", celsius: str = "48.8") -> dict[str, object]:
    """As the zeus project captured them on a Raspberry Pi 5 Model B Rev 1.0, the rails shortened."""
    return {
        **common_commands(),
        "vcgencmd get_throttled": f"throttled={throttled}\n",
        "vcgencmd measure_temp": f"temp={celsius}'C\n",
        "vcgencmd measure_clock arm": "frequency(0)=2400023808\n",
        "vcgencmd measure_volts core": "volt=0.7200V\n",
        "vcgencmd pmic_read_adc": (
            "  3V7_WL_SW_A current(0)=0.09368929A\n    3V3_SYS_A current(1)=0.08783370A\n"
            "  3V7_WL_SW_V volt(8)=3.69977600V\n    3V3_SYS_V volt(9)=3.31003300V\n"
        ),
    }


def pc_files() -> dict[str, str | None]:
    """A laptop with an Intel processor."""
    cpu = "/sys/devices/system/cpu"
    return {
        **common_files(),
        f"{_POLICY}/scaling_governor": "powersave\n",
        f"{_POLICY}/scaling_driver": "intel_pstate\n",
        f"{_POLICY}/scaling_available_governors": "performance powersave\n",
        f"{cpu}/intel_pstate/no_turbo": "0\n",
        f"{cpu}/cpu0/thermal_throttle/package_throttle_count": "0\n",
        f"{cpu}/cpu1/thermal_throttle/package_throttle_count": "0\n",
        "/sys/class/thermal/thermal_zone0/type": "acpitz\n",
        "/sys/class/thermal/thermal_zone0/temp": "27800\n",
        "/sys/class/thermal/thermal_zone1/type": "x86_pkg_temp\n",
        "/sys/class/thermal/thermal_zone1/temp": "44000\n",
        "/sys/class/powercap/intel-rapl:0/energy_uj": None,
        "/sys/class/power_supply/AC/type": "Mains\n",
        "/sys/class/power_supply/AC/online": "1\n",
        "/sys/class/power_supply/BAT0/type": "Battery\n",
        "/sys/class/power_supply/BAT0/status": "Not charging\n",
        "/sys/class/power_supply/BAT0/capacity": "80\n",
        "/sys/class/power_supply/hidpp_battery_0/type": "Battery\n",
        "/sys/class/power_supply/hidpp_battery_0/scope": "Device\n",
        "/sys/class/power_supply/hidpp_battery_0/status": "Discharging\n",
    }
