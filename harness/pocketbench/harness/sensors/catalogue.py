"""All sensors of a device: one list of specs from one listing."""

from __future__ import annotations

from pocketbench.harness.sensors import (
    android_thermal,
    cpu_frequency,
    cpu_load,
    frequency_residency,
    fuel_gauge,
    ina2xx,
    ina3221,
    jetson,
    memory,
    odpm,
    powerz,
    rapl,
    raspberry_pi_pmic,
    raspberry_pi_voltage,
    thermal_zone,
    throttle_count,
    vcgencmd,
)
from pocketbench.harness.sensors.listing import Listing, take_listing
from pocketbench.harness.sensors.spec import Discovered, SensorModule
from pocketbench.harness.transports.base import Transport

__all__ = ["PATTERNS", "PROGRAMS", "SENSORS", "discover", "discover_on"]

SENSORS: tuple[SensorModule, ...] = (
    android_thermal,
    cpu_frequency,
    cpu_load,
    frequency_residency,
    fuel_gauge,
    ina2xx,
    ina3221,
    jetson,
    memory,
    odpm,
    powerz,
    rapl,
    raspberry_pi_pmic,
    raspberry_pi_voltage,
    thermal_zone,
    throttle_count,
    vcgencmd,
)
PATTERNS: tuple[str, ...] = tuple(sorted({pattern for sensor in SENSORS for pattern in sensor.PATTERNS}))
PROGRAMS: tuple[str, ...] = tuple(sorted({program for sensor in SENSORS for program in sensor.PROGRAMS}))


def discover(listing: Listing) -> Discovered:
    """What can be sensed there, and of everything else why not."""
    return Discovered.all_of([sensor.discover(listing) for sensor in SENSORS])


def discover_on(transport: Transport) -> Discovered:
    """Ask a device, in one round trip; DeviceError where it gives no whole answer."""
    return discover(take_listing(transport, PATTERNS, PROGRAMS))
