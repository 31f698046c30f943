"""Meters of one channel: INA219, INA220, INA226, INA230, INA231, INA260 (Documentation/hwmon/ina2xx.rst).

The usual error is a wrong `shunt_resistor`: then every current is wrong by the same factor.
"""

from __future__ import annotations

from pocketbench.harness.sensors.hwmon import HWMON_NAMES, chips, current_and_voltage
from pocketbench.harness.sensors.integers import parse_integer
from pocketbench.harness.sensors.listing import Listing
from pocketbench.harness.sensors.spec import Absent, Discovered, SensorSpec

__all__ = ["PATTERNS", "PROGRAMS", "discover", "shunt_micro_ohm"]

_CHIPS = {"ina219", "ina220", "ina226", "ina230", "ina231", "ina260"}
_CURRENT, _VOLTAGE, _SHUNT = "curr1_input", "in1_input", "shunt_resistor"
_FOLDER = "/sys/class/hwmon/hwmon*"
PATTERNS: tuple[str, ...] = (HWMON_NAMES, *(f"{_FOLDER}/{file}" for file in (_CURRENT, _VOLTAGE, _SHUNT)))
PROGRAMS: tuple[str, ...] = ()
# An INA219 converts in 0.5 ms; an INA226 averages over its update_interval, 2 to 2253 ms.
_RATE_HZ = 50.0


# curr1_input 812 (mA), in1_input 5120 (mV)
def discover(listing: Listing) -> Discovered:
    """One spec for each chip; what its shunt is wired to is the user's knowledge, usually the input of the board."""
    specs: list[SensorSpec] = []
    absent: list[Absent] = []
    for chip in chips(listing, _CHIPS):
        source = f"{chip.name} ({chip.number})"
        nodes = current_and_voltage(listing, chip, _CURRENT, _VOLTAGE, source)
        if nodes:
            specs.append(SensorSpec(source, _RATE_HZ, tuple(nodes), "board input", (source,)))
        else:
            absent.append(Absent(source, f"{_CURRENT} or {_VOLTAGE} cannot be read"))
    if not specs and not absent:
        return Discovered.nothing("ina2xx", "no hwmon chip of that kind")
    return Discovered(tuple(specs), tuple(absent))


def shunt_micro_ohm(listing: Listing, hwmon: str) -> int | None:
    """What the driver takes for the shunt, in µΩ; to be compared with the board's."""
    return parse_integer(listing.files.get(f"/sys/class/hwmon/{hwmon}/{_SHUNT}", b""))
