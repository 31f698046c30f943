"""What is concluded from what sensors said during a launch: throttling, supply, charger, gaps, the clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from pocketbench.harness.campaign.sensing import DeviceSensors, LaunchSigns
from pocketbench.harness.runner.results import Sampling
from pocketbench.harness.runner.sensing import Reading
from pocketbench.harness.sensors.catalogue import discover
from pocketbench.harness.sensors.energy import Window
from pocketbench.harness.sensors.listing import Listing
from pocketbench.harness.sensors.traces import node_table
from tests.sensors.captures import listing_of, pi_5_listing, pixel_listing

SECOND = 10**9
START = 1000 * SECOND
WINDOW = Window(START, START + 8 * SECOND)
# Read once before the launch, every second, and once after it.
TIMES_S = (-1.5, -0.5, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.1)

_CPUFREQ = "/sys/devices/system/cpu/cpufreq"


def phone_listing() -> Listing:
    """Two clusters with tables of residency."""
    table = "1000000 0\n2000000 0\n"
    return listing_of({f"{_CPUFREQ}/policy{first}/stats/time_in_state": table for first in (0, 4)})


def signs(
    listing: Listing,
    says: dict[str, Callable[[float], str]],
    *,
    times_s: Sequence[float] = TIMES_S,
    governor: str | None = "schedutil",
    cores: tuple[int, ...] | None = None,
) -> LaunchSigns:
    """Of a launch in which the nodes whose names have these parts said so, by seconds from the window's start."""
    sensors = DeviceSensors(discover(listing).specs, governor=governor)
    readings = [
        Reading(number, START + round(second * SECOND), 0, text(second).encode(), None)
        for second in times_s
        for number, (_, node) in enumerate(node_table(sensors.specs))
        for part, text in says.items()
        if part in node.key
    ]
    assert readings
    sampling = Sampling(tuple(readings), 0, 0, 0, ())
    return sensors.signs(sensors.traces(sampling), sampling, WINDOW, cores)


def bits(value: int, *, from_s: float, until_s: float = 1000.0) -> Callable[[float], str]:
    return lambda second: f"throttled={value if from_s <= second < until_s else 0:#x}\n"


@pytest.mark.parametrize(
    ("says", "throttled", "under_voltage"),
    [
        pytest.param(bits(0x0, from_s=0), False, False, id="nothing"),
        pytest.param(bits(0x60006, from_s=3, until_s=5), True, False, id="throttled for a moment"),
        pytest.param(bits(0x80000, from_s=4), True, False, id="a soft limit that was only noted"),
        pytest.param(bits(0xF0000, from_s=-9), False, False, id="all noted before the launch"),
        pytest.param(bits(0x50001, from_s=2), True, True, id="under-voltage now, throttling noted"),
        pytest.param(bits(0x10000, from_s=8), False, True, id="under-voltage that was only noted"),
    ],
)
def test_the_firmware_of_a_raspberry_pi_tells(says, throttled: bool, under_voltage: bool):
    found = signs(pi_5_listing(), {"get_throttled": says})

    assert (found.declared_throttling, found.conditions.under_voltage) == (throttled, under_voltage)


def test_what_a_device_cannot_say_is_unknown():
    found = signs(listing_of({"/proc/loadavg": "0.05 0.08 0.01 1/187 2211\n"}), {"loadavg": lambda _: "?"})

    assert found.declared_throttling is found.share_at_frequency is found.temperature_max_c is None
    assert found.conditions.under_voltage is found.conditions.charger_changed is None
    assert found.conditions.frequency_is_fixed is False


def test_answers_that_cannot_be_read_say_nothing():
    found = signs(
        pi_5_listing(), {"get_throttled": lambda _: "error=1\n", "lcrit_alarm": lambda _: "\n"}, governor=None
    )

    assert found.declared_throttling is found.conditions.under_voltage is found.conditions.frequency_is_fixed is None


def test_the_kernel_of_a_raspberry_pi_tells_of_the_supply_too():
    found = signs(
        pi_5_listing(), {"get_throttled": bits(0, from_s=0), "lcrit_alarm": lambda second: f"{3 < second < 4:d}\n"}
    )

    assert found.conditions.under_voltage is True


def test_the_clock_of_a_raspberry_pi_is_that_of_its_firmware():
    """The kernel goes on saying what it asked for."""
    says: dict[str, Callable[[float], str]] = {
        "measure_clock": lambda second: f"frequency(0)={1_500_000_000 if 2 < second < 6 else 2_400_033_792}\n",
        "scaling_cur_freq": lambda _: "2400000\n",
    }

    assert signs(pi_5_listing(), says).share_at_frequency == 0.5


def residency(slow_share: float) -> Callable[[float], str]:
    """Ticks of 10 ms since long ago."""

    def text(second: float) -> str:
        ticks = round((second + 100) * 100)
        slow = round(ticks * slow_share)
        return f"1000000 {slow}\n2000000 {ticks - slow}\n"

    return text


@pytest.mark.parametrize(
    ("cores", "share"),
    [
        pytest.param((0,), 0.2, id="little"),
        pytest.param((5,), 0.9, id="big"),
        pytest.param((0, 7), 0.2, id="the slowest of both"),
        pytest.param(None, 0.9, id="not pinned, so where it was fast"),
    ],
)
def test_the_share_is_that_of_the_cores_that_were_used(cores, share: float):
    says = {"policy0": residency(0.8), "policy4": residency(0.1)}

    assert signs(phone_listing(), says, cores=cores).share_at_frequency == pytest.approx(share, abs=0.01)


def test_a_charger_that_comes_during_a_launch_is_noticed():
    def battery(second: float) -> str:
        return f"Current Battery Service state:\n  AC powered: {'true' if second > 5 else 'false'}\n  status: 3\n"

    assert signs(pixel_listing(), {"dumpsys battery": battery}).conditions.charger_changed is True
    assert signs(pixel_listing(), {"dumpsys battery": lambda _: battery(0)}).conditions.charger_changed is False


@pytest.mark.parametrize(
    ("times_s", "periods"),
    [
        pytest.param(TIMES_S, 1.0, id="none"),
        pytest.param((-1, 0, 1, 2, 6.5, 7, 8, 9), 4.5, id="in the middle"),
        pytest.param((-20, 2, 3, 4, 5, 6, 7, 8), 22.0, id="over the start"),
        pytest.param((-20, -10, 0, 1, 2, 3, 4, 5, 6, 7, 8, 20, 40), 1.0, id="before and after"),
        pytest.param((0, 1, 2, 3), 5.0, id="none after"),
        pytest.param((5, 6, 7, 8), 5.0, id="none before"),
        pytest.param((-1, 9), 10.0, id="none inside"),
        pytest.param((-2, -1), 9.0, id="all before"),
    ],
)
def test_gaps_of_the_sampler_are_those_that_the_launch_has_a_part_in(times_s, periods: float):
    found = signs(pi_5_listing(), {"get_throttled": bits(0, from_s=0)}, times_s=times_s)

    assert found.conditions.largest_gap_periods == pytest.approx(periods)


def test_the_hottest_reading_of_the_processor_counts():
    says: dict[str, Callable[[float], str]] = {
        "measure_temp": lambda second: f"temp={50 + second:.1f}'C\n",
        "thermal_zone0/temp": lambda second: f"{52_000 + 1000 * second:.0f}\n",
    }

    assert signs(pi_5_listing(), says).temperature_max_c == pytest.approx(60.1)


_THROTTLED = "/sys/devices/system/cpu/cpu{}/thermal_throttle/package_throttle_count"


@pytest.mark.parametrize(
    ("later", "throttled"), [pytest.param(7, False, id="as before"), pytest.param(8, True, id="one of them counted")]
)
def test_counters_of_two_processors_are_each_compared_with_themselves(later: int, throttled: bool):
    listing = listing_of({_THROTTLED.format(0): "7\n", _THROTTLED.format(1): "900\n"})
    says: dict[str, Callable[[float], str]] = {
        "cpu0/": lambda second: f"{7 if second < 4 else later}\n",
        "cpu1/": lambda second: "900\n",
    }

    assert signs(listing, says).declared_throttling is throttled
