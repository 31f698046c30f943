"""What an emulated phone says of itself, in the forms that Android prints (AOSP BatteryService, ThermalManager)."""

from __future__ import annotations

__all__ = ["ANSWERS", "PROGRAM"]

# getprop, dumpsys and cmd: the text of a file that is named after the command, or what Android says where none is.
PROGRAM = """\
#!/system/bin/sh
name=${0##*/}
for argument; do
    case $argument in */*) exit 1 ;; esac
    name=${name}_$argument
done
if [ -f "/system/answers/$name" ]; then exec cat "/system/answers/$name"; fi
case ${0##*/} in
getprop)
    while IFS= read -r line; do
        case $line in "[$1]: ["*) line=${line#*: ?}; printf '%s\\n' "${line%?}"; exit 0 ;; esac
    done < /system/answers/getprop
    echo ;;
dumpsys) echo "Can't find service: $1" >&2 ;;
cmd) echo "cmd: Can't find service: $1" >&2; exit 20 ;;
esac
"""

ANSWERS = {
    "getprop": """\
[ro.board.platform]: [emulated]
[ro.build.fingerprint]: [pocketbench/emulated/emulated:14/TEST/1:userdebug/test-keys]
[ro.build.version.release]: [14]
[ro.build.version.sdk]: [34]
[ro.product.cpu.abi]: [x86_64]
[ro.product.cpu.abilist]: [x86_64]
[ro.product.manufacturer]: [pocketbench]
[ro.product.model]: [Emulated Phone]
[ro.soc.model]: [EMU-1]
""",
    "dumpsys battery": """\
Current Battery Service state:
  AC powered: false
  USB powered: false
  Wireless powered: false
  Max charging current: 0
  Max charging voltage: 0
  Charge counter: 3270000
  status: 3
  health: 2
  present: true
  level: 83
  scale: 100
  voltage: 4052
  temperature: 274
  technology: Li-ion
""",
    "dumpsys thermalservice": """\
IsStatusOverride: false
ThermalEventListeners:
\tcallbacks: 2
Thermal Status: 0
Cached temperatures:
\tTemperature{mValue=44.1, mType=0, mName=CPU, mStatus=0}
HAL Ready: true
Current temperatures from HAL:
\tTemperature{mValue=41.2, mType=0, mName=CPU, mStatus=0}
\tTemperature{mValue=29.600002, mType=3, mName=SKIN, mStatus=0}
\tTemperature{mValue=27.4, mType=2, mName=BATTERY, mStatus=0}
Current cooling devices from HAL:
\tCoolingDevice{mValue=0, mType=2, mName=cpufreq-cpu0}
Temperature static thresholds from HAL:
\tTemperatureThreshold{mType=3, mName=SKIN, mHotThrottlingThresholds=[NaN, NaN, NaN, 50.0, 70.0, 80.0, 90.0], \
mColdThrottlingThresholds=[NaN, NaN, NaN, NaN, NaN, NaN, NaN]}
""",
    "cmd battery get level": "83\n",
    "cmd battery get temp": "274\n",
    "cmd battery get counter": "3270000\n",
    "cmd battery get current_now": "-312000\n",
}
