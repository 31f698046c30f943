"""Every sensor gives the analytic integral of a known power within 1 %, through its own text and parser."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import pytest

from pocketbench.harness.sensors.clock_alignment import ClockFit
from pocketbench.harness.sensors.energy import ENOUGH_UPDATES, Window, power_energy
from pocketbench.harness.sensors.external_meter import parse_line
from pocketbench.harness.sensors.fnirsi import SAMPLES_PER_S, checksum, decode_packet
from pocketbench.harness.sensors.metering import window_energy
from pocketbench.harness.sensors.meters import MeterSample, meter_trace
from pocketbench.harness.sensors.monsoon import means_of
from pocketbench.harness.sensors.traces import traces_of
from tests.sensors.simulated import CURVES, SENSORS, START_NS, Curve, Simulated, records

# The first window begins a moment after sampling, the others anywhere.
_STARTS_S = (4.0, 11.237, 23.519)
_WITHIN = 0.01


@pytest.mark.parametrize("curve", [pytest.param(curve, id=name) for name, curve in CURVES.items()])
@pytest.mark.parametrize("sensor", [pytest.param(sensor, id=name) for name, sensor in SENSORS.items()])
def test_energy_is_the_integral(sensor: Simulated, curve: Curve):
    traces = traces_of(sensor.specs, records(sensor, curve))
    for start_s in _STARTS_S:
        end_s = sensor.duration_s - 20 + start_s / 3
        window = Window(START_NS + round(start_s * 1e9), START_NS + round(end_s * 1e9))

        found = window_energy(sensor.spec, traces, window)

        assert found.reason is None
        assert found.updates >= ENOUGH_UPDATES
        assert found.energy_j == pytest.approx(curve.joules(end_s) - curve.joules(start_s), rel=_WITHIN)
    if sensor.spec.name == "fuel-gauge":
        return
    # Thirty seconds are enough for all others.
    short = window_energy(sensor.spec, traces, Window(START_NS + 60_123_000_000, START_NS + 90_123_000_000))
    assert short.flags == ()
    assert short.energy_j == pytest.approx(curve.joules(90.123) - curve.joules(60.123), rel=_WITHIN)


def fnirsi(watts: Callable[[float], float], duration_s: float) -> Iterator[MeterSample]:
    """Packets of four samples in steps of 10 µV and 10 µA, with their checksum."""
    for first in range(0, int(duration_s * SAMPLES_PER_S), 4):
        body = b"".join(
            struct.pack("<IIHHBH", 508_000, round(watts((first + index) / SAMPLES_PER_S) / 5.08 * 1e5), 0, 0, 1, 300)
            for index in range(4)
        )
        checked = b"\x04" + body + b"\x00"
        samples = decode_packet(b"\xaa" + checked + bytes([checksum(checked)]))
        assert samples is not None
        for index, sample in enumerate(samples):
            yield MeterSample((first + index) / SAMPLES_PER_S, sample.power_w)


def monsoon(watts: Callable[[float], float], duration_s: float) -> Iterator[MeterSample]:
    """Batches of 500 samples at 5 kHz, three to a packet; between two batches a packet is lost."""
    for first in range(0, int(duration_s * 5000), 503):
        seconds = [(first + index) / 5000 for index in range(500)]
        times = [(first + index // 3 * 3 + 2) / 5000 for index in range(500)]
        zeros = [0.0] * 500
        means = means_of([times, [watts(second) / 4.2 * 1000 for second in seconds], zeros, zeros, [4.2] * 500, zeros])
        assert means is not None
        yield from means


def program(watts: Callable[[float], float], duration_s: float) -> Iterator[MeterSample]:
    """A slow meter on the wall: a line each second, in tenths of a watt."""
    for second in range(int(duration_s)):
        sample = parse_line(f"{second},{watts(second):.1f}".encode())
        assert sample is not None
        yield sample


@pytest.mark.parametrize(
    ("meter", "rate_hz"), [(fnirsi, 100.0), (monsoon, 100.0), (program, 1.0)], ids=["FNIRSI", "Monsoon", "program"]
)
@pytest.mark.parametrize("curve", [pytest.param(curve, id=name) for name, curve in CURVES.items()])
def test_energy_of_a_meter_on_this_computer_is_the_integral(meter, rate_hz: float, curve: Curve):
    clock = ClockFit(offset_s=START_NS * 1e-9, rate=1.0, error_s=0.0)
    trace = meter_trace("meter", rate_hz, list(meter(curve.watts, 130.0)), clock)
    window = Window(START_NS + 5_237_000_000, START_NS + 118_911_000_000)

    found = power_energy(trace, window)

    assert found.energy_j == pytest.approx(curve.joules(118.911) - curve.joules(5.237), rel=_WITHIN)
