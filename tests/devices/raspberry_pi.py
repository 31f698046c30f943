"""The files by which a Raspberry Pi 4 says what it is and how it fares, to be laid under a board's /sys and /proc.

Values and names as on a Raspberry Pi 4 Model B Rev 1.4 with Raspberry Pi OS; hwmon1 and the battery are an INA219 meter
and a supply as people add them.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["CPUINFO", "VCGENCMD", "VCGENCMD_ANSWERS", "write_sys"]

_CORES = 4
_CORE = """\
processor	: {number}
BogoMIPS	: 108.00
Features	: fp asimd evtstrm crc32 cpuid
CPU implementer	: 0x41
CPU architecture: 8
CPU variant	: 0x0
CPU part	: 0xd08
CPU revision	: 3

"""
CPUINFO = (
    "".join(_CORE.format(number=number) for number in range(_CORES))
    + """\
Hardware	: BCM2835
Revision	: c03114
Serial		: 10000000abcdef01
Model		: Raspberry Pi 4 Model B Rev 1.4
"""
)

# A program that answers from a folder which the test may change while the board runs.
VCGENCMD = """\
#!/bin/sh
answer=/run/fake_vc/$(echo "$*" | tr ' ' '_')
[ -r "$answer" ] && exec cat "$answer"
echo 'error=1 error_msg="Command not registered"'
exit 255
"""
VCGENCMD_ANSWERS = {
    "get_throttled": "throttled=0x0\n",
    "measure_clock_arm": "frequency(48)=1800457088\n",
    "measure_temp": "temp=48.2'C\n",
    "measure_volts_core": "volt=0.8600V\n",
}

_FREQUENCY = {
    "cpuinfo_max_freq": "1800000",
    "cpuinfo_min_freq": "600000",
    "scaling_available_governors": "conservative ondemand userspace powersave performance schedutil",
    "scaling_cur_freq": "1800000",
    "scaling_driver": "cpufreq-dt",
    "scaling_governor": "ondemand",
    "scaling_max_freq": "1800000",
    "scaling_min_freq": "600000",
}
_THERMAL = "devices/virtual/thermal/thermal_zone0"
_METER = "devices/platform/soc/fe804000.i2c/i2c-1/1-0040/hwmon/hwmon1"
_VOLTAGE = "devices/platform/rpi_volt/hwmon/hwmon0"
_BATTERY = "devices/platform/battery/power_supply/battery"
_FILES = {
    **{f"devices/system/cpu/{name}": "0-3" for name in ("possible", "present", "online")},
    "devices/system/cpu/cpufreq/policy0/affected_cpus": "0 1 2 3",
    "devices/system/cpu/cpufreq/policy0/related_cpus": "0 1 2 3",
    **{f"devices/system/cpu/cpufreq/policy0/{name}": value for name, value in _FREQUENCY.items()},
    **{f"devices/system/cpu/cpu{n}/topology/core_id": str(n) for n in range(_CORES)},
    **{f"devices/system/cpu/cpu{n}/topology/physical_package_id": "0" for n in range(_CORES)},
    **{f"devices/system/cpu/cpu{n}/online": "1" for n in range(1, _CORES)},
    f"{_THERMAL}/type": "cpu-thermal",
    f"{_THERMAL}/temp": "48199",
    f"{_THERMAL}/mode": "enabled",
    f"{_THERMAL}/trip_point_0_temp": "110000",
    f"{_THERMAL}/trip_point_0_type": "critical",
    f"{_METER}/name": "ina219",
    f"{_METER}/in0_input": "4",
    f"{_METER}/in1_input": "5120",
    f"{_METER}/curr1_input": "812",
    f"{_METER}/power1_input": "4157440",
    f"{_METER}/shunt_resistor": "100000",
    f"{_VOLTAGE}/name": "rpi_volt",
    f"{_VOLTAGE}/in0_lcrit_alarm": "0",
    f"{_BATTERY}/type": "Battery",
    f"{_BATTERY}/voltage_now": "5012000",
    f"{_BATTERY}/current_now": "-812000",
    f"{_BATTERY}/status": "Discharging",
}
_LINKS = {
    **{f"devices/system/cpu/cpu{n}/cpufreq": "../cpufreq/policy0" for n in range(_CORES)},
    "class/thermal/thermal_zone0": f"../../{_THERMAL}",
    "class/hwmon/hwmon0": f"../../{_VOLTAGE}",
    "class/hwmon/hwmon1": f"../../{_METER}",
    "class/power_supply/battery": f"../../{_BATTERY}",
}
_DEVICE_TREE = {
    "model": b"Raspberry Pi 4 Model B Rev 1.4\0",
    "compatible": b"raspberrypi,4-model-b\0brcm,bcm2711\0",
}


def write_sys(folder: Path) -> None:
    """Lay out /sys in `folder`."""
    for name, text in _FILES.items():
        _new(folder / name).write_text(f"{text}\n")
    for name, content in _DEVICE_TREE.items():
        _new(folder / "firmware/devicetree/base" / name).write_bytes(content)
    for name, target in _LINKS.items():
        _new(folder / name).symlink_to(target)
    (folder / "class/net").mkdir()
    (folder / "fs/cgroup").mkdir(parents=True)


def _new(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
