"""Rails of NVIDIA Jetson boards with JetPack 4 (L4T 32), whose driver is ina3221x: milliwatts, no hwmon.

From JetPack 5 on they are hwmon chips: ina3221.py.
"""

from __future__ import annotations

from pocketbench.harness.sensors.integers import integer_parser
from pocketbench.harness.sensors.listing import Listing
from pocketbench.harness.sensors.rails import power_specs
from pocketbench.harness.sensors.spec import Discovered, PathNode

__all__ = ["PATTERNS", "PROGRAMS", "discover"]

# Both spellings are in NVIDIA's documents: iio:device0 of the Nano, iio_device of the TX2.
_FOLDERS = ("/sys/bus/i2c/drivers/ina3221x/*/iio:device*", "/sys/bus/i2c/drivers/ina3221x/*/iio_device")
PATTERNS: tuple[str, ...] = tuple(
    f"{folder}/{file}" for folder in _FOLDERS for file in ("rail_name_*", "in_power*_input")
)
PROGRAMS: tuple[str, ...] = ()
_RATE_HZ = 20.0


# rail_name_0 POM_5V_IN, in_power0_input 2875 (mW)
def discover(listing: Listing) -> Discovered:
    """Rails by name; a channel without a name is not wired."""
    rails: dict[str, list[PathNode]] = {}
    for folder in _FOLDERS:
        for path in listing.readable(f"{folder}/rail_name_*"):
            place, _, channel = path.rpartition("/rail_name_")
            name, power = listing.text(path), f"{place}/in_power{channel}_input"
            if name and power in listing.files and name not in rails:
                rails[name] = [PathNode(power, integer_parser("power_uw", name, times=1000))]
    if not rails:
        return Discovered.nothing("jetson", f"nothing at {_FOLDERS[0]}")
    return Discovered(power_specs("jetson", _RATE_HZ, rails))
