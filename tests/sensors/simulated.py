"""Sensors that meter a known power: what each would print, at its rate and with its quantization."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pocketbench.harness.sensors.catalogue import discover
from pocketbench.harness.sensors.listing import Listing
from pocketbench.harness.sensors.spec import SensorSpec
from pocketbench.harness.sensors.traces import Record, node_table
from tests.sensors.captures import jetson_listing, listing_of, pi_5_listing, pixel_listing, rapl_listing

__all__ = ["CURVES", "SENSORS", "START_NS", "Curve", "Simulated", "records"]

# The monotonic clock of a device that has been up for a while.
START_NS = 86_400_000_000_000
_VOLTS = 5.08


@dataclass(frozen=True)
class Curve:
    """Watts at a time, and joules since 0, in seconds: exact."""

    watts: Callable[[float], float]
    joules: Callable[[float], float]


def _steps(second: float) -> float:
    """2 W; 5 W from 40 s to 150 s."""
    return 2 * second + 3 * min(max(second - 40, 0), 110)


# A wave of 0.05 Hz is what a governor and a thermal limit make of a load; a battery's slow gauge sees it.
_W = 2 * math.pi * 0.05
CURVES = {
    "constant": Curve(lambda t: 3.2, lambda t: 3.2 * t),
    "warming up": Curve(lambda t: 2 + 0.005 * t, lambda t: 2 * t + 0.0025 * t * t),
    "throttling": Curve(lambda t: 4 + 2 * math.exp(-t / 60), lambda t: 4 * t - 120 * math.exp(-t / 60)),
    "waves": Curve(lambda t: 3 + math.sin(_W * t), lambda t: 3 * t - math.cos(_W * t) / _W),
    "steps": Curve(lambda t: 5.0 if 40 <= t < 150 else 2.0, _steps),
}


@dataclass(frozen=True)
class Simulated:
    """A sensor: which spec of which listing, and what its nodes print at a time."""

    listing: Listing
    name: str
    text: Callable[[Curve, str, float], str]
    duration_s: float = 200.0

    @property
    def specs(self) -> tuple[SensorSpec, ...]:
        return discover(self.listing).specs

    @property
    def spec(self) -> SensorSpec:
        return next(spec for spec in self.specs if spec.name == self.name)


def records(sensor: Simulated, curve: Curve) -> Iterator[Record]:
    """As the sampler hands them over: late by up to a tenth of a period, nodes 0.3 ms after each other."""
    random = np.random.default_rng(7)
    for node, (spec, _) in enumerate(node_table(sensor.specs)):
        if spec.name not in (sensor.name, "battery-service"):
            continue
        key = node_table(sensor.specs)[node][1].key
        for index in range(int(sensor.duration_s * spec.rate_hz)):
            second = (index + random.uniform(0, 0.1)) / spec.rate_hz + 0.0003 * node
            text = sensor.text(curve, key, second)
            yield Record(START_NS + round(second * 1e9), node, text.encode())


def _hwmon(milliampere_step: float, millivolt_step: float, *, cut: bool = False) -> Callable[[Curve, str, float], str]:
    """Current and voltage by files of hwmon, rounded or cut to the chip's steps."""

    def text(curve: Curve, key: str, second: float) -> str:
        current = "curr" in key
        value = curve.watts(second) / _VOLTS * 1000 if current else _VOLTS * 1000
        step = milliampere_step if current else millivolt_step
        return f"{int(int(value / step + (0 if cut else 0.5)) * step)}\n"

    return text


def _pmic(curve: Curve, key: str, second: float) -> str:
    """Two rails, one after the other within 23 ms, currents in steps of 0.98 mA."""
    rails = {"VDD_CORE": (0.7, 0.8617, 0.0), "3V3_SYS": (0.3, 3.31, 0.012)}
    currents = [
        f"{name}_A current({index})={round(curve.watts(second + later) * share / volts / 0.00098) * 0.00098:.8f}A"
        for index, (name, (share, volts, later)) in enumerate(rails.items())
    ]
    voltages = [f"{name}_V volt({index + 8})={volts:.8f}V" for index, (name, (_, volts, _)) in enumerate(rails.items())]
    return "\n".join([*currents, *voltages, "EXT5V_V volt(24)=5.09066000V"]) + "\n"


def _odpm(curve: Curve, key: str, second: float) -> str:
    """Two of the rails move; the counters were latched up to 50 ms ago, by the chip's clock, which began elsewhere."""
    latched = math.floor(second / 0.05) * 0.05
    microjoules = max(0, round(curve.joules(latched) * 1e6) + 10**9)
    shares = {"S10M_VDD_TPU": 0.25, "VSYS_PWR_MODEM": 0.0, "VSYS_PWR_RFFE": 0.0, "S2M_VDD_CPUCL2": 0.75}
    clock_ms = round(latched * 1000) + 12_345
    lines = [
        f"CH{i}(T={clock_ms})[{name}], {int(microjoules * share)}" for i, (name, share) in enumerate(shares.items())
    ]
    return "\n".join([f"t={clock_ms}", *lines]) + "\n"


_RAPL_RANGE_UJ = 262_143_328_850


def _rapl(curve: Curve, key: str, second: float) -> str:
    """Steps of 61 µJ; the package's counter begins at 0 again after 100 J. DRAM takes a tenth on top of nothing."""
    share = {"intel-rapl:0/": 0.9, "intel-rapl:0:2/": 0.1}
    part = next((part for end, part in share.items() if end in key), 0.5)
    counted = curve.joules(second) - curve.joules(0)
    microjoules = int(counted * part * 1e6 / 61.035) * 61.035
    return f"{int(_RAPL_RANGE_UJ - 100e6 + microjoules) % _RAPL_RANGE_UJ}\n"


def _gauge(microamperes_per_raw: int, sign: int, millivolts: bool) -> Callable[[Curve, str, float], str]:
    """A register that is updated every 1/0.28 s and holds, in between, the current of that moment; 4 V, falling."""

    def text(curve: Curve, key: str, second: float) -> str:
        updated = math.floor(second * 0.28) / 0.28
        volts = 4.0 - 0.0001 * updated
        if key.endswith("status"):
            return "Discharging\n"
        if key.endswith("charge_counter"):
            return f"{3_000_000 - round(second * 200)}\n"
        if "voltage" in key:
            return f"{round(volts * (1e3 if millivolts else 1e6))}\n"
        if key == "dumpsys battery":
            return "Current Battery Service state:\n  AC powered: false\n  USB powered: false\n  status: 3\n"
        return f"{sign * round(curve.watts(updated) / volts * 1e6 / microamperes_per_raw)}\n"

    return text


def _jetson_4() -> Listing:
    folder = "/sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0"
    return listing_of({f"{folder}/rail_name_0": "POM_5V_IN\n", f"{folder}/in_power0_input": "2875\n"})


def _chip(name: str, voltage: str) -> Listing:
    folder = "/sys/class/hwmon/hwmon1"
    return listing_of({f"{folder}/name": f"{name}\n", f"{folder}/curr1_input": "1\n", f"{folder}/{voltage}": "1\n"})


SENSORS = {
    # 10 mΩ shunt: 1 mA; the bus in 4 mV.
    "INA219": Simulated(_chip("ina219", "in1_input"), "ina219 (hwmon1)", _hwmon(1, 4)),
    "INA226": Simulated(_chip("ina226", "in1_input"), "ina226 (hwmon1)", _hwmon(1, 1.25)),
    # 40 µV over 5 mΩ: 8 mA; the bus in 8 mV.
    "INA3221 of a Jetson": Simulated(jetson_listing(), "ina3221-input", _hwmon(8, 8)),
    "POWER-Z": Simulated(_chip("powerz", "in0_input"), "powerz", _hwmon(1, 1, cut=True)),
    "Jetson, JetPack 4": Simulated(
        _jetson_4(), "jetson-input", lambda curve, key, second: f"{round(curve.watts(second) * 1000)}\n"
    ),
    "PMIC of a Raspberry Pi 5": Simulated(pi_5_listing(), "raspberry-pi-pmic", _pmic),
    "rails of a Pixel": Simulated(pixel_listing(), "odpm (iio:device0)", _odpm),
    "RAPL": Simulated(rapl_listing(), "rapl", _rapl),
    # Windows of many updates of the register: measurement.md asks for a hundred.
    "gauge of a Pixel 6a": Simulated(pixel_listing(), "fuel-gauge", _gauge(1, -1, False), 440.0),
    "gauge of a Mi A3": Simulated(pixel_listing(), "fuel-gauge", _gauge(1, 1, False), 440.0),
    "gauge of a Galaxy S21": Simulated(pixel_listing(), "fuel-gauge", _gauge(1000, -1, True), 440.0),
}
