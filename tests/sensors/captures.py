"""Texts of devices, as public documents, sources and issues quote them (docs/sensors.md names each source)."""

from __future__ import annotations

from pocketbench.harness.sensors.listing import Listing

__all__ = [
    "ODPM",
    "PMIC",
    "STAT",
    "TIME_IN_STATE",
    "jetson_listing",
    "listing_of",
    "pi_5_listing",
    "pixel_listing",
    "rapl_listing",
]

# Raspberry Pi 5 Model B Rev 1.0, four busy cores, captured by ml-energy/zeus (issue 273). Its sum is 7.240 W, by hand.
PMIC = """ 3V7_WL_SW_A current(0)=0.09368929A
   3V3_SYS_A current(1)=0.08783370A
   1V8_SYS_A current(2)=0.18054710A
  DDR_VDD2_A current(3)=0.22543980A
  DDR_VDDQ_A current(4)=0.06666720A
   1V1_SYS_A current(5)=0.17566740A
    0V8_SW_A current(6)=0.37670900A
  VDD_CORE_A current(7)=6.22421000A
   3V3_DAC_A current(17)=0.00006105A
   3V3_ADC_A current(18)=0.00036630A
   0V8_AON_A current(16)=0.00305250A
      HDMI_A current(22)=0.02417580A
 3V7_WL_SW_V volt(8)=3.69977600V
   3V3_SYS_V volt(9)=3.31003300V
   1V8_SYS_V volt(10)=1.80512600V
  DDR_VDD2_V volt(11)=1.10476100V
  DDR_VDDQ_V volt(12)=0.60146460V
   1V1_SYS_V volt(13)=1.11025500V
    0V8_SW_V volt(14)=0.80146440V
  VDD_CORE_V volt(15)=0.86173300V
   3V3_DAC_V volt(20)=3.31318300V
   3V3_ADC_V volt(21)=3.30677300V
   0V8_AON_V volt(19)=0.80029220V
      HDMI_V volt(23)=5.08664000V
     EXT5V_V volt(24)=5.09066000V
      BATT_V volt(25)=0.00000000V
"""
# Pixel 6, from the comment in google/oboe's script.
ODPM = """t=349894
CH0(T=349894)[S10M_VDD_TPU], 5578756
CH1(T=349894)[VSYS_PWR_MODEM], 29110940
CH2(T=349894)[VSYS_PWR_RFFE], 3166046
CH3(T=349894)[S2M_VDD_CPUCL2], 30203502
"""
TIME_IN_STATE = "600000 120\n1200000 30\n1800000 1850\n"
STAT = """cpu  1030 0 510 8140 120 0 0 0 999 0
cpu0 530 0 310 4040 60 0 0 0 999 0
cpu1 500 0 200 4100 60 0 0 0 0 0
intr 8885917 17 0
ctxt 22840704
btime 1764048000
"""


def listing_of(files: dict[str, str], *programs: str, denied: dict[str, str] | None = None) -> Listing:
    """A device with these."""
    return Listing({path: text.encode() for path, text in files.items()}, denied or {}, frozenset(programs))


def pi_5_listing() -> Listing:
    """Raspberry Pi OS: hwmon as zeus saw it."""
    return listing_of(
        {
            "/proc/stat": STAT,
            "/proc/loadavg": "0.05 0.08 0.01 1/187 2211\n",
            "/proc/meminfo": "MemTotal: 8256856 kB\nMemAvailable: 7411232 kB\nSwapTotal: 2048 kB\nSwapFree: 1024 kB\n",
            "/sys/firmware/devicetree/base/compatible": "raspberrypi,5-model-b\0brcm,bcm2712\0",
            "/sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq": "1500000\n",
            "/sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
            "/sys/class/thermal/thermal_zone0/temp": "48312\n",
            "/sys/class/hwmon/hwmon0/name": "cpu_thermal\n",
            "/sys/class/hwmon/hwmon1/name": "rp1_adc\n",
            "/sys/class/hwmon/hwmon1/in1_input": "1425\n",
            "/sys/class/hwmon/hwmon2/name": "rpi_volt\n",
            "/sys/class/hwmon/hwmon2/in0_lcrit_alarm": "0\n",
        },
        "vcgencmd",
    )


def pixel_listing() -> Listing:
    """Rooted: rails and battery can be read, one policy cannot."""
    iio = "/sys/bus/iio/devices/iio:device"
    return listing_of(
        {
            "/proc/stat": STAT,
            "/sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq": "1803000\n",
            "/sys/devices/system/cpu/cpufreq/policy0/stats/time_in_state": TIME_IN_STATE,
            "/sys/devices/system/cpu/cpufreq/policy0/stats/total_trans": "912\n",
            f"{iio}0/energy_value": ODPM,
            f"{iio}1/energy_value": "t=359458\nCH0(T=359458)[VSYS_PWR_WLAN_BT], 45993209\n",
            f"{iio}2/name": "barometer\n",
            "/sys/class/power_supply/usb/type": "USB\n",
            "/sys/class/power_supply/battery/type": "Battery\n",
            "/sys/class/power_supply/battery/current_now": "-342812\n",
            "/sys/class/power_supply/battery/voltage_now": "4012500\n",
            "/sys/class/power_supply/battery/charge_counter": "3270000\n",
            "/sys/class/power_supply/battery/status": "Discharging\n",
        },
        "cmd",
        "dumpsys",
        denied={"/sys/devices/system/cpu/cpufreq/policy4/scaling_cur_freq": "Permission denied"},
    )


def jetson_listing() -> Listing:
    """Orin Nano, JetPack 6."""
    folder = "/sys/class/hwmon/hwmon3"
    rails = {1: ("VDD_IN", 5048, 904), 2: ("VDD_CPU_GPU_CV", 5048, 176), 3: ("VDD_SOC", 5048, 288)}
    files = {"/sys/class/hwmon/hwmon3/name": "ina3221\n", f"{folder}/in7_label": "sum of shunt voltages\n"}
    for channel, (label, millivolts, milliamperes) in rails.items():
        files[f"{folder}/in{channel}_label"] = f"{label}\n"
        files[f"{folder}/in{channel}_input"] = f"{millivolts}\n"
        files[f"{folder}/curr{channel}_input"] = f"{milliamperes}\n"
    return listing_of(files)


def rapl_listing() -> Listing:
    """A laptop: package, core and uncore inside it, DRAM inside it, and the whole platform."""
    zones = {"0": "package-0", "0:0": "core", "0:1": "uncore", "0:2": "dram", "1": "psys"}
    files = {}
    for number, name in zones.items():
        folder = f"/sys/class/powercap/intel-rapl:{number}"
        files[f"{folder}/name"] = f"{name}\n"
        files[f"{folder}/energy_uj"] = "193128391\n"
        files[f"{folder}/max_energy_range_uj"] = "262143328850\n"
    return listing_of(files)
