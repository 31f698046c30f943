"""Does the device get the power it needs, and what is its battery doing?"""

from __future__ import annotations

from pocketbench.harness.checkup.firmware import VIDEO_GROUP, Firmware
from pocketbench.harness.checkup.rows import Row, fail, not_known, ok, warning
from pocketbench.harness.checkup.visit import Visit
from pocketbench.harness.sensors.android_battery import Battery, parse_battery
from pocketbench.harness.sensors.power_supply import PowerSupply, parse_power_supply

__all__ = ["android_battery", "linux_battery", "power_saving", "under_voltage"]

_SUPPLIES = "/sys/class/power_supply/*"
_HWMON = "/sys/class/hwmon/hwmon*"
# Phones save power by themselves from 15 or 20 % on; above 30 % they do not.
_LOW_PERCENT = 30
_HOT_CELSIUS = 40.0
_SUPPLY = "use the power supply that the maker sells for it (Raspberry Pi 5: 5 V 5 A) and a short cable"


def under_voltage(visit: Visit, firmware: Firmware | None) -> list[Row]:
    """Of a Raspberry Pi: by its firmware, or by the kernel where that is not for us; no row elsewhere."""
    question = "under-voltage"
    if firmware is not None and firmware.throttled is not None:
        if firmware.throttled.under_voltage_now:
            return [fail(question, "now: the supply is too weak, so the cores are slowed down", _SUPPLY)]
        if firmware.throttled.under_voltage_since_boot:
            remedy = f"{_SUPPLY}; the mark goes away when it restarts"
            return [warning(question, "not now; the supply was too weak since it started", remedy)]
        return [ok(question, "none since it started")]
    alarm = _kernel_alarm(visit)
    if alarm is not None:
        return [fail(question, "the kernel reports it", _SUPPLY) if alarm else ok(question, "the kernel reports none")]
    if firmware is not None:
        return [not_known(question, f"vcgencmd says: {firmware.problem}", VIDEO_GROUP)]
    return []


def _kernel_alarm(visit: Visit) -> bool | None:
    """`in0_lcrit_alarm` of the driver raspberrypi-hwmon (Documentation/hwmon/raspberrypi.rst)."""
    files = visit.files(f"{_HWMON}/name", f"{_HWMON}/in0_lcrit_alarm")
    ours = {file.folder for file in files if file.name == "name" and file.text.strip() == "rpi_volt"}
    alarms = [file.text.strip() for file in files if file.name == "in0_lcrit_alarm" and file.folder in ours]
    return alarms[0] == "1" if alarms and alarms[0] in {"0", "1"} else None


def android_battery(visit: Visit) -> list[Row]:
    """Level, charging, temperature, and whether the service is frozen."""
    battery = parse_battery(visit.text("dumpsys", "battery") or "")
    if battery is None:
        return [not_known("battery", "`dumpsys battery` does not say")]
    if battery.frozen:
        return [
            warning(
                "battery",
                f"the values were set by hand and say nothing: {_described(battery)}",
                visit.adb("dumpsys battery reset"),
            )
        ]
    return [_level(battery), _charging(battery)]


def _level(battery: Battery) -> Row:
    found = _described(battery)
    if battery.level_percent is None:
        return not_known("battery", found)
    if battery.health not in (None, "good", "unknown"):
        return warning("battery", found, "the phone calls its battery bad: expect it to be slowed down")
    if battery.level_percent < _LOW_PERCENT:
        return warning("battery", f"{found}: phones save power when it is low", "charge it above 30 %")
    if battery.temperature_celsius is not None and battery.temperature_celsius >= _HOT_CELSIUS:
        return warning("battery", f"{found}: charging or work made it warm", "unplug it and let it rest")
    return ok("battery", found)


def _charging(battery: Battery) -> Row:
    question = "charging"
    if battery.status is None and battery.supplies is None:
        return not_known(question, "`dumpsys battery` does not say")
    plugs = " and ".join(battery.supplies or ()) or "nothing"
    found = f"{battery.status or 'status not known'}, plugged into {plugs}"
    if battery.status == "charging" or battery.supplies:
        return warning(
            question,
            f"{found}: it is warmer, and its battery's current says nothing about the work",
            "for energy figures connect it by wireless debugging and unplug it; latency can be measured so",
        )
    return ok(question, found)


def _described(battery: Battery) -> str:
    level = "level not known" if battery.level_percent is None else f"{battery.level_percent:.0f} %"
    celsius = battery.temperature_celsius
    warmth = "" if celsius is None else f", {celsius:.1f} °C"
    return f"{level}{warmth}, health {battery.health or 'not known'}"


def linux_battery(visit: Visit) -> list[Row]:
    """A laptop that runs on its battery is slower; no row where there is no battery."""
    files = visit.files(*(f"{_SUPPLIES}/{name}" for name in ("type", "scope", "status", "capacity", "online")))
    folders: dict[str, dict[str, str]] = {}
    for file in files:
        folders.setdefault(file.folder, {})[file.name] = file.text
    supplies = [supply for texts in folders.values() if (supply := parse_power_supply(texts)) is not None]
    batteries = [supply for supply in supplies if supply.kind == "Battery"]
    return [_laptop(battery) for battery in batteries[:1]]


def _laptop(battery: PowerSupply) -> Row:
    level = "" if battery.level_percent is None else f"{battery.level_percent} %, "
    found = f"{level}{(battery.status or 'status not known').lower()}"
    if battery.status == "Discharging":
        return warning("battery", f"{found}: many computers are slower on it", "plug it in")
    return ok("battery", found)


def power_saving(visit: Visit) -> list[Row]:
    """Battery saver of Android."""
    question = "power saving"
    state = (visit.text("settings", "get", "global", "low_power") or "").strip()
    if state == "1":
        return [warning(question, "on: the cores are slowed down", visit.adb("settings put global low_power 0"))]
    if state in {"0", "null"}:
        return [ok(question, "off")]
    return [not_known(question, "`settings get global low_power` does not say")]
