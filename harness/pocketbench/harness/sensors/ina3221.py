"""Meters of three channels, as on NVIDIA Jetson boards with JetPack 5 and later (Documentation/hwmon/ina3221.rst)."""

from __future__ import annotations

from pocketbench.harness.sensors.hwmon import HWMON_NAMES, Chip, chips, current_and_voltage
from pocketbench.harness.sensors.listing import Listing
from pocketbench.harness.sensors.rails import is_board_input, power_specs
from pocketbench.harness.sensors.spec import Discovered, PathNode

__all__ = ["PATTERNS", "PROGRAMS", "discover"]

_CHANNELS = (1, 2, 3)
_FOLDER = "/sys/class/hwmon/hwmon*"
PATTERNS: tuple[str, ...] = (HWMON_NAMES, *(f"{_FOLDER}/{file}" for file in ("in*_label", "in*_input", "curr*_input")))
PROGRAMS: tuple[str, ...] = ()
# The driver of the kernel gave about 77 readings a second over all channels (one public report).
_RATE_HZ = 20.0


# in1_label VDD_IN, in1_input 5048 (mV), curr1_input 904 (mA)
def discover(listing: Listing) -> Discovered:
    """Channels by their label, since numbers of hwmon and order of rails differ; `VDD_IN` is what goes into the board.

    The driver adds a channel 7, `sum of shunt voltages`, which is none.
    """
    rails: dict[str, list[PathNode]] = {}
    for chip in chips(listing, {"ina3221"}):
        for channel in _CHANNELS:
            nodes = _channel(listing, chip, channel)
            if nodes:
                rails[_label(listing, chip, channel)] = nodes
    if not rails:
        return Discovered.nothing("ina3221", "no hwmon chip ina3221 whose channels can be read")
    return Discovered(power_specs("ina3221", _RATE_HZ, rails))


def _channel(listing: Listing, chip: Chip, channel: int) -> list[PathNode]:
    source = _label(listing, chip, channel)
    return current_and_voltage(listing, chip, f"curr{channel}_input", f"in{channel}_input", source)


def _label(listing: Listing, chip: Chip, channel: int) -> str:
    label = listing.text(chip.path(f"in{channel}_label"))
    return label if label and is_board_input(label) else f"{label or f'channel {channel}'} ({chip.number})"
