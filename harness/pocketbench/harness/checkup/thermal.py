"""How warm is it, and does it slow down for that?"""

from __future__ import annotations

import re

from pocketbench.harness.checkup.firmware import VIDEO_GROUP, Firmware
from pocketbench.harness.checkup.rows import Row, fail, not_known, ok, warning
from pocketbench.harness.checkup.visit import Visit, decode
from pocketbench.harness.devices.parsers import clean_text
from pocketbench.harness.sensors.android_thermal import STATUS_NAMES, ThermalService, parse_thermal_service
from pocketbench.harness.sensors.thermal_zone import parse_zone_temperature

__all__ = ["android_thermal", "linux_temperature", "linux_throttling"]

_ZONES = "/sys/class/thermal/thermal_zone*"
_COUNTS = "/sys/devices/system/cpu/cpu*/thermal_throttle/package_throttle_count"
# Launches begin at the same temperature, 45 degrees unless the plan says otherwise; from here that takes minutes.
_WARM_CELSIUS = 60.0
# So close to where a sensor of a phone throttles that an inference or two will do it.
_CLOSE_CELSIUS = 3.0
_SHOWN = 4
_COOL = "let it rest, take off its case, or give it a fan"


def linux_temperature(visit: Visit, firmware: Firmware | None) -> list[Row]:
    """The firmware's, where it has one, beside the kernel's zones."""
    readings: dict[str, float] = {}
    if firmware is not None and firmware.temperature_celsius is not None:
        readings["SoC (firmware)"] = firmware.temperature_celsius
    files = visit.files(f"{_ZONES}/type", f"{_ZONES}/temp")
    types = {file.folder: clean_text(file.text) for file in files if file.name == "type"}
    for file in files:
        celsius = parse_zone_temperature(file.text) if file.name == "temp" else None
        if celsius is not None:
            name = types.get(file.folder) or file.folder
            readings[name] = max(celsius, readings.get(name, celsius))
    return [_temperature(readings)]


def linux_throttling(visit: Visit, firmware: Firmware | None) -> list[Row]:
    """The bits of a Raspberry Pi, or the counters of a PC."""
    question = "throttling"
    if firmware is None:
        return [_throttle_counts(visit)]
    if firmware.throttled is None:
        return [not_known(question, f"vcgencmd says: {firmware.problem}", VIDEO_GROUP)]
    now, since_boot = firmware.throttled.slowed_now, firmware.throttled.slowed_since_boot
    if now:
        return [fail(question, f"now: {', '.join(now)}", _COOL)]
    if since_boot:
        return [
            warning(
                question,
                f"not now; since it started: {', '.join(since_boot)}",
                f"{_COOL}; the mark goes away when it restarts",
            )
        ]
    return [ok(question, "none since it started")]


def android_thermal(visit: Visit) -> list[Row]:
    """Temperatures and status of the thermal service."""
    answer = visit.run("dumpsys", "thermalservice")
    seen = parse_thermal_service(decode(answer.stdout))
    return [_android_temperature(seen), _android_status(visit, seen)]


def _temperature(readings: dict[str, float]) -> Row:
    question = "temperature"
    if not readings:
        return not_known(question, "no sensor answers: nobody will know when it slows down for heat")
    found = _hottest(readings)
    if max(readings.values()) >= _WARM_CELSIUS:
        return warning(question, f"{found}: warm before anything was measured", _COOL)
    return ok(question, found)


def _hottest(readings: dict[str, float]) -> str:
    hottest = sorted(readings.items(), key=lambda item: -item[1])
    more = f" and {len(hottest) - _SHOWN} more" if len(hottest) > _SHOWN else ""
    return ", ".join(f"{name} {celsius:.1f} °C" for name, celsius in hottest[:_SHOWN]) + more


def _throttle_counts(visit: Visit) -> Row:
    """Of x86 (Documentation/ABI/testing/sysfs-devices-system-cpu); a count for each package, shown by each core."""
    question = "throttling"
    counts = [int(file.text) for file in visit.files(_COUNTS) if re.fullmatch(r"\d{1,12}\s*", file.text, re.ASCII)]
    if not counts:
        return not_known(question, "neither firmware nor kernel says; results show it as drift")
    if max(counts) == 0:
        return ok(question, "none since it started")
    return warning(
        question, f"{max(counts)} times since it started: it gets too warm under load", f"{_COOL}, or turn turbo off"
    )


def _android_temperature(seen: ThermalService) -> Row:
    readings = {reading.name: reading.celsius for reading in seen.temperatures}
    close = [
        f"{name} {celsius:.1f} °C of the {limit:.1f} °C where it throttles"
        for name, celsius in readings.items()
        if (limit := seen.throttles_from_celsius.get(name)) is not None and celsius > limit - _CLOSE_CELSIUS
    ]
    if close:
        return warning("temperature", ", ".join(close[:_SHOWN]), _COOL)
    if not readings:
        return not_known("temperature", "the thermal service names none (it exists since Android 10)")
    return ok("temperature", _hottest(readings))


def _android_status(visit: Visit, seen: ThermalService) -> Row:
    question = "throttling"
    if seen.overridden:
        return warning(
            question,
            "the thermal status was set by hand and says nothing",
            visit.adb("cmd thermalservice reset"),
        )
    if seen.status is None:
        return not_known(question, "the thermal service gives no status (it exists since Android 10)")
    if seen.status > 0:
        return fail(question, f"thermal status {seen.status} ({STATUS_NAMES[seen.status]})", _COOL)
    return ok(question, "thermal status 0 (none)")
