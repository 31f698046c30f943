"""The clock of a meter is found from load pulses, and the stated error holds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketbench.harness.sensors.clock_alignment import ClockFit, align_clock
from pocketbench.harness.sensors.energy import Window, power_energy
from pocketbench.harness.sensors.meters import MeterSample, meter_trace

# The device's clock; two pulses of 5 s, and 100 s of work between them.
PULSES = (Window(1_020 * 10**9, 1_025 * 10**9), Window(1_140 * 10**9, 1_145 * 10**9))
WORK = Window(1_040 * 10**9, 1_130 * 10**9)
IDLE_W, WORK_W, PULSE_W = 2.0, 4.0, 6.0


def watts(device_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Work wavers, so that it is no pulse."""
    power = np.full(len(device_s), IDLE_W)
    working = (device_s >= WORK.start_ns * 1e-9) & (device_s < WORK.end_ns * 1e-9)
    power[working] = WORK_W + 0.5 * np.sin(device_s[working])
    for pulse in PULSES:
        power[(device_s >= pulse.start_ns * 1e-9) & (device_s < pulse.end_ns * 1e-9)] = PULSE_W
    return power


def samples(rate_hz: float, offset_s: float, rate: float, noise_w: float = 0.0, seed: int = 1):
    """Times by the meter's clock, which `offset_s` + `rate` * time turns into the device's, and watts."""
    random = np.random.default_rng(seed)
    device_s = np.arange(1_000.0, 1_170.0, rate / rate_hz)
    return (device_s - offset_s) / rate, watts(device_s) + random.normal(0, noise_w, len(device_s))


@settings(max_examples=40, deadline=None)
@given(
    rate_hz=st.sampled_from([5.0, 10.0, 100.0, 1000.0]),
    offset_s=st.floats(-1e6, 1e6),
    parts_per_million=st.floats(-200, 200),
    noise_w=st.sampled_from([0.0, 0.05, 0.2]),
    seed=st.integers(0, 1000),
)
def test_every_time_between_the_pulses_is_within_the_stated_error(rate_hz, offset_s, parts_per_million, noise_w, seed):
    rate = 1 + parts_per_million * 1e-6
    times_s, power = samples(rate_hz, offset_s, rate, noise_w, seed)

    fit = align_clock(times_s, power, PULSES)

    assert isinstance(fit, ClockFit), fit
    truth = offset_s + rate * times_s
    between = (truth >= PULSES[0].start_ns * 1e-9) & (truth <= PULSES[1].end_ns * 1e-9)
    assert np.abs(fit.device_ns(times_s)[between] * 1e-9 - truth[between]).max() <= fit.error_s + 1e-6
    assert fit.error_s <= 2.5 / rate_hz


@pytest.mark.parametrize("rate_hz", [10.0, 100.0, 1000.0])
def test_energy_of_a_meter_on_another_clock_is_the_integral(rate_hz):
    times_s, power = samples(rate_hz, -7_654.321, 1 + 80e-6)
    fit = align_clock(times_s, power, PULSES)
    assert isinstance(fit, ClockFit)
    trace = meter_trace("meter", rate_hz, [MeterSample(*item) for item in zip(times_s, power, strict=True)], fit)

    found = power_energy(trace, WORK)

    truth = WORK_W * 90 + 0.5 * (math.cos(1_040) - math.cos(1_130))
    assert found.energy_j == pytest.approx(truth, rel=0.01)


def test_one_pulse_gives_the_offset_alone():
    times_s, power = samples(100.0, 500.25, 1.0)

    fit = align_clock(times_s[:11_000], power[:11_000], PULSES[:1])

    assert isinstance(fit, ClockFit)
    assert fit.rate == 1.0
    assert fit.offset_s == pytest.approx(500.25, abs=0.01)
    assert fit.error_s == pytest.approx(0.01, abs=0.011)


def test_two_pulses_that_look_alike_are_not_one():
    times_s, power = samples(100.0, 500.25, 1.0)

    assert "not told from the rest" in str(align_clock(times_s, power, PULSES[:1]))


def test_what_cannot_be_found_is_said():
    times_s, power = samples(100.0, 500.25, 1.0)

    assert "idle longer" in str(align_clock(times_s, np.full(len(power), 3.0), PULSES))
    assert "shorter than the pulses" in str(align_clock(times_s[:9000], power[:9000], PULSES))
    assert "at least ten samples" in str(align_clock(times_s[:5], power[:5], PULSES))
    assert "at least ten samples" in str(align_clock(times_s[::-1], power, PULSES))
    assert "at least ten samples" in str(align_clock(times_s, power, ()))


def test_a_load_full_of_pulses_is_not_told_apart():
    times_s, _ = samples(100.0, 0.0, 1.0)
    beating = np.where((times_s // 5) % 2 == 0, PULSE_W, IDLE_W)

    assert "not told from the rest" in str(align_clock(times_s, beating, PULSES[:1]))


def test_noise_over_the_pulse_is_refused():
    times_s, power = samples(100.0, 0.0, 1.0, noise_w=3.0)

    assert isinstance(align_clock(times_s, power, PULSES), str)
