"""Texts of phones, in the formats that public captures and AOSP's sources have (the numbers are made up)."""

from __future__ import annotations

import time

from tests.checkup.boards import common_files

__all__ = ["BATTERY", "POWER", "SAMSUNG_BATTERY", "SAMSUNG_THERMAL", "THERMAL", "phone_commands", "phone_files"]

BATTERY = """Current Battery Service state:
  AC powered: false
  USB powered: true
  Wireless powered: false
  Dock powered: false
  Max charging current: 500000
  Max charging voltage: 5000000
  Charge counter: 3270000
  status: 2
  health: 2
  present: true
  level: 76
  scale: 100
  voltage: 4352
  temperature: 274
  technology: Li-ion
  Charging state: 1
  Charging policy: 1
  Capacity level: -1
"""
# Samsung: an event log follows, with other values under the same names.
SAMSUNG_BATTERY = (
    BATTERY.replace("level: 76", "level: 18").replace("  Dock powered: false\n", "")
    + """  BatteryInfoBackUp
    mSavedBatteryAsoc: 97
Battery Event Log:
  level: 91
  temperature: 412
"""
)
POWER = """POWER MANAGER (dumpsys power)

Power Manager State:
  Settings power_manager_constants:
    no_cached_wake_locks=true
  mDirty=0x0
  mWakefulness=Awake
  mWakefulnessChanging=false
  mIsPowered=true
  mPlugType=2
  mBatteryLevel=76
  mStayOn=true

Settings and Configuration:
  mStayOnWhilePluggedInSetting=15
Sleep timeout: -1 ms
Screen off timeout: 30000 ms
Screen dim duration: 7000 ms
"""
THERMAL = """IsStatusOverride: false
ThermalEventListeners:
	callbacks: 2
	killed: false
	broadcasts count: -1
Thermal Status: 0
Cached temperatures:
	Temperature{mValue=84.208, mType=0, mName=CPU, mStatus=0}
HAL Ready: true
Current temperatures from HAL:
	Temperature{mValue=57.9, mType=0, mName=CPU, mStatus=0}
	Temperature{mValue=NaN, mType=1, mName=GPU, mStatus=0}
	Temperature{mValue=31.600002, mType=3, mName=VIRTUAL-SKIN, mStatus=0}
	Temperature{mValue=4.3, mType=6, mName=vbat, mStatus=0}
Current cooling devices from HAL:
	CoolingDevice{mValue=1, mType=6, mName=lcd-backlight}
Temperature static thresholds from HAL:
	TemperatureThreshold{mType=3, mName=VIRTUAL-SKIN, \
mHotThrottlingThresholds=[NaN, 39.0, 43.0, 45.0, 46.5, 52.0, 55.0], \
mColdThrottlingThresholds=[NaN, NaN, NaN, NaN, NaN, NaN, NaN]}
"""
SAMSUNG_THERMAL = """IsStatusOverride: false
Thermal Status: 3
Cached temperatures:
	Temperature{mValue=20.0, mType=0, mName=AP, mStatus=0}
HAL Ready: true
HAL connection:
	ThermalHAL AIDL 1  connected: yes
Current temperatures from HAL:
	Temperature{mValue=71.3, mType=0, mName=AP, mStatus=3}
	Temperature{mValue=36.1, mType=2, mName=BAT, mStatus=0}
	Temperature{mValue=0.0, mType=2, mName=SUBBAT, mStatus=0}
	Temperature{mValue=41.4, mType=3, mName=SKIN, mStatus=3}
Current cooling devices from HAL:
Temperature static thresholds from HAL:
"""


def phone_commands() -> dict[str, object]:
    """A phone on a USB cable."""
    return {
        "uname -r -m": "6.1.99-android14-11-g0123456789ab aarch64\n",
        "date +%s.%N": f"{time.time():.9f}\n",
        "cat /proc/loadavg": "8.31 8.02 7.95 3/5210 31337\n",
        "grep -m 1 KernelPageSize /proc/self/smaps": "KernelPageSize:        4 kB\n",
        "dumpsys battery": BATTERY,
        "dumpsys power": POWER,
        "dumpsys thermalservice": THERMAL,
        "settings get global low_power": "0\n",
        "getenforce": "Enforcing\n",
        "cmd battery get current_now": "Unknown get option: current_now\n",
    }


def phone_files() -> dict[str, str | None]:
    """What adb's shell of a user build finds; it may not read the battery's files."""
    return {
        **common_files(),
        "/sys/devices/system/cpu/online": "0-8\n",
        "/sys/devices/system/cpu/cpufreq/policy0/scaling_governor": "sched_pixel\n",
        "/sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq": "1704000\n",
        "/sys/devices/system/cpu/cpufreq/policy8/scaling_governor": "sched_pixel\n",
        "/sys/devices/system/cpu/cpufreq/policy8/scaling_cur_freq": None,
        "/sys/class/power_supply/battery/current_now": None,
        "/sys/class/power_supply/battery/voltage_now": None,
    }
