"""On-device power rails of Pixel 6 and later (AOSP hardware/google/pixel, powerstats, IioEnergyMeterDataProvider.cpp).

Counters of µW·s that lose nothing between two readings. The nodes are for root, and for userdebug builds.
"""

from __future__ import annotations

import re

from pocketbench.harness.sensors.listing import Listing
from pocketbench.harness.sensors.readings import Reading, known, shown, unknown
from pocketbench.harness.sensors.spec import Discovered, PathNode, SensorSpec

__all__ = ["PATTERNS", "PROGRAMS", "discover", "parse", "parse_enabled_rails", "parse_sampling_rate_hz"]

_FOLDER = "/sys/bus/iio/devices/iio:device*"
_ENERGY, _RAILS, _RATE = f"{_FOLDER}/energy_value", f"{_FOLDER}/enabled_rails", f"{_FOLDER}/sampling_rate"
PATTERNS: tuple[str, ...] = (_ENERGY, _RAILS, _RATE)
PROGRAMS: tuple[str, ...] = ()
# As often as Perfetto asks.
_RATE_HZ = 4.0
_TEXT_BYTES = 8000
_LINE = re.compile(rb"CH\d{1,2}\(T=\d{1,20}\)\[([A-Za-z0-9_]{1,40})\], (\d{1,20})")


# t=349894
# CH0(T=349894)[S10M_VDD_TPU], 5578756
# CH3(T=349894)[S2M_VDD_CPUCL2], 30203502
# `t` is the time since the start in ms, T how long the rail has been counted. Order and names differ by model.
def parse(data: bytes) -> tuple[Reading, ...]:
    """The energy of each rail in µJ, with the time of the counters; nothing where one line is anything else."""
    head, *lines = data[:_TEXT_BYTES].split(b"\n")
    clock = re.fullmatch(rb"t=(\d{1,15})", head)
    if clock is None or not lines or lines.pop() != b"" or not lines:
        return (unknown("energy_uj", "rails", f"expected t=MS and a line for each rail, got {shown(data)}"),)
    energies: dict[str, int] = {}
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None or match[1].decode() in energies:
            return (unknown("energy_uj", "rails", f"expected CH0(T=MS)[RAIL], µWs, got {shown(line)}"),)
        energies[match[1].decode()] = int(match[2])
    return tuple(known("energy_uj", rail, energy, clock_ms=int(clock[1])) for rail, energy in energies.items())


# CH3[S2M_VDD_CPUCL2]:CPU
def parse_enabled_rails(data: bytes) -> dict[str, str]:
    """What each rail feeds, in AOSP's words: `{"S2M_VDD_CPUCL2": "CPU"}`."""
    found = re.findall(rb"^CH\d{1,2}\[([A-Za-z0-9_]{1,40})\]:([A-Za-z0-9_-]{1,40})$", data[:_TEXT_BYTES], re.MULTILINE)
    return {rail.decode(): use.decode() for rail, use in found}


# 125.000000
def parse_sampling_rate_hz(data: bytes) -> float | None:
    """How often the chip itself measures the power that it adds up."""
    match = re.fullmatch(rb"(\d{1,6}(?:\.\d{1,6})?)\s*", data)
    return float(match[1]) if match and float(match[1]) > 0 else None


def discover(listing: Listing) -> Discovered:
    """One spec for each chip (a Pixel has two). Its total is all of its rails: of the phone it is a part."""
    specs = []
    for path in listing.readable(_ENERGY):
        rails = tuple(reading.source for reading in parse(listing.files[path]) if reading.value is not None)
        if rails:
            name = f"odpm ({path.split('/')[-2]})"
            specs.append(SensorSpec(name, _RATE_HZ, (PathNode(path, parse),), "rails", rails))
    if not specs:
        return Discovered.nothing("odpm", listing.why_not(_ENERGY))
    return Discovered(tuple(specs))
