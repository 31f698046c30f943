"""When a window has no energy, and what the joules of an inference are made of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pocketbench.harness.sensors.energy import Window, WindowEnergy, counter_energy, power_energy, sum_of
from pocketbench.harness.sensors.inference_energy import net_energy
from pocketbench.harness.sensors.metering import product, window_energy
from pocketbench.harness.sensors.traces import Record, Trace, make_trace, node_table, traces_of
from tests.sensors.simulated import CURVES, SENSORS, START_NS, records

SECOND = 10**9
WINDOW = Window(10 * SECOND, 20 * SECOND)


def watts(value: float = 2.0, *, rate_hz: int = 10, leave_out: tuple[float, float] = (0, 0)) -> Trace:
    """Thirty seconds of a constant power, without the readings in `leave_out`."""
    times = [index * SECOND // rate_hz for index in range(30 * rate_hz + 1)]
    kept = [time for time in times if not leave_out[0] * SECOND < time < leave_out[1] * SECOND]
    return make_trace("power_uw", "rail", kept, [value * 1e6] * len(kept), period_ns=SECOND // rate_hz)


def counter(joules: list[float], seconds: list[float], *, wraps_at: int | None = None) -> Trace:
    times = [round(second * SECOND) for second in seconds]
    return make_trace("energy_uj", "rail", times, [j * 1e6 for j in joules], period_ns=SECOND, wraps_at=wraps_at)


def test_a_gap_of_three_periods_stands_and_a_longer_one_does_not():
    assert power_energy(watts(leave_out=(14.0, 14.3)), WINDOW).energy_j == pytest.approx(20)

    gone = power_energy(watts(leave_out=(14.0, 14.4)), WINDOW)

    assert gone.energy_j is None
    assert gone.reason == "a gap of 0.4 s inside, where rail is read every 0.1 s"


def test_a_gap_outside_does_not_matter_and_one_over_an_edge_does():
    assert power_energy(watts(leave_out=(2, 9)), WINDOW).energy_j == pytest.approx(20)
    assert power_energy(watts(leave_out=(9.5, 10.2)), WINDOW).energy_j is None
    assert power_energy(watts(leave_out=(19.8, 20.5)), WINDOW).energy_j is None


def test_readings_must_cover_the_window():
    assert power_energy(watts(), Window(1, 40 * SECOND)).reason == "readings of rail end 10 s before the window"
    late = replace(watts(), times_ns=watts().times_ns + 12 * SECOND)
    assert power_energy(late, WINDOW).reason == "readings of rail begin 2 s after the window"
    none = make_trace("power_uw", "rail", [], [], period_ns=1)
    assert power_energy(none, WINDOW).reason == "no reading of rail"


def test_few_updates_are_flagged():
    assert power_energy(watts(rate_hz=10), WINDOW).flags == ("few-updates",)
    assert power_energy(watts(rate_hz=11), WINDOW).flags == ()


def test_a_counter_is_read_at_the_edges_and_may_be_silent_between():
    trace = counter([100, 102, 118, 121], [9.5, 10.5, 19, 20.5])

    assert counter_energy(trace, WINDOW).energy_j == pytest.approx(118 + 3 * 1 / 1.5 - 101)
    assert "at an edge" in (counter_energy(counter([0, 9], [9, 21]), WINDOW).reason or "")


def test_a_counter_that_wraps_and_one_that_was_reset():
    wrapped = counter([255, 256, 2, 4], [9, 10, 20, 21], wraps_at=260_000_000)

    assert counter_energy(wrapped, WINDOW).energy_j == pytest.approx(6)
    reset = counter_energy(counter([255, 256, 2, 4], [9, 10, 20, 21]), WINDOW)
    assert reset.reason == "the counter of rail went back: it was reset"


def test_a_counter_with_a_clock_of_its_own_is_taken_at_its_times():
    """The chip latches up to 0.4 s before it is read; the power rises by 2 W each second, so that late is wrong."""
    read_s = [8 + 0.5 * index for index in range(30)]
    # Late are those at 10 s, 13.5 s, 17 s.
    latched_s = [second - 0.4 * (index % 7 == 4) for index, second in enumerate(read_s)]
    trace = counter([second**2 for second in latched_s], read_s)
    own = replace(trace, clock_ms=np.array([round(second * 1000) + 777_000 for second in latched_s]))

    assert counter_energy(own, WINDOW).energy_j == pytest.approx(20**2 - 10**2, abs=0.2)
    assert counter_energy(trace, WINDOW).energy_j == pytest.approx(20**2 - 9.6**2), "late at the first edge"


def test_a_counter_that_may_have_wrapped_twice_is_refused():
    trace = counter([1, 2, 3, 4], [9, 10, 90, 91], wraps_at=260_000_000)

    assert "may have begun again unseen" in (counter_energy(trace, Window(10 * SECOND, 90 * SECOND)).reason or "")


def test_rails_of_which_one_is_unknown_have_no_sum():
    known = WindowEnergy(5.0, 10, updates=200, flags=("few-updates",))
    unknown = WindowEnergy(None, 10, reason="a gap")

    assert sum_of([known, known], WINDOW) == WindowEnergy(10.0, 10, 200, None, ("few-updates",))
    assert sum_of([known, unknown], WINDOW).reason == "a gap"
    assert sum_of([], WINDOW).energy_j is None


def test_a_sensor_that_fell_silent_says_why():
    """The firmware answered for 12 s, then the user lost /dev/vcio."""
    specs = SENSORS["PMIC of a Raspberry Pi 5"].specs
    spec = SENSORS["PMIC of a Raspberry Pi 5"].spec
    node = next(index for index, (one, _) in enumerate(node_table(specs)) if one == spec)
    good = [one for one in records(SENSORS["PMIC of a Raspberry Pi 5"], CURVES["constant"]) if one.node == node]
    silent = [
        replace(one, problem="Permission denied", data=b"") if one.monotonic_ns > START_NS + 12 * SECOND else one
        for one in good
    ]

    found = window_energy(spec, traces_of(specs, silent), Window(START_NS + SECOND, START_NS + 20 * SECOND))

    assert found.energy_j is None
    assert "end 8" in (found.reason or "")
    assert traces_of(specs, [Record(1, node, b"", "Permission denied")])[spec.name, "power_uw", "rails"].reason == (
        "Permission denied"
    )


def test_a_product_takes_the_voltage_between_its_readings():
    current = make_trace("current_ua", "a", [0, 10, 20], [1e6, 1e6, 2e6], period_ns=10)
    voltage = make_trace("voltage_uv", "a", [5, 15], [4e6, 5e6], period_ns=10)

    assert list(product(current, voltage).values) == pytest.approx([4e6, 4.5e6, 10e6])
    assert len(product(current, make_trace("voltage_uv", "a", [], [], period_ns=10))) == 0


def test_energy_of_an_inference_without_what_idling_takes():
    # 300 mJ in 60 ms is 5 W, of which 2 W are taken anyway.
    net = net_energy(300.0, 0.060, 2033.0, 1967.0)

    assert net.idle_mw == pytest.approx(2000)
    assert net.net_mj == pytest.approx(180)
    assert net.flags == ()


def test_idle_that_differs_is_flagged():
    assert net_energy(300.0, 0.060, 2200.0, 2000.0).flags == ("idle_differs",)


@pytest.mark.parametrize("idle_mw", [(None, 2000.0), (2000.0, None), (None, None)])
def test_half_a_baseline_gives_no_net_energy(idle_mw):
    net = net_energy(300.0, 0.060, *idle_mw)

    assert (net.net_mj, net.idle_mw, net.flags) == (None, None, ("no_idle_baseline",))


def test_an_unknown_gross_energy_has_no_net_one():
    assert net_energy(None, 0.060, 2000.0, 2000.0).net_mj is None


def test_records_of_one_sweep_make_a_trace_for_each_source():
    specs = SENSORS["PMIC of a Raspberry Pi 5"].specs
    found = traces_of(specs, records(SENSORS["PMIC of a Raspberry Pi 5"], CURVES["waves"]))

    assert set(found) == {("raspberry-pi-pmic", "power_uw", source) for source in ("VDD_CORE", "3V3_SYS", "rails")}
    rails, core = (found["raspberry-pi-pmic", "power_uw", source] for source in ("rails", "VDD_CORE"))
    assert np.all(rails.values > core.values)
    assert rails.period_ns == SECOND // 10
