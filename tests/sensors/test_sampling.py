"""From specs to the runner's sampler and back."""

from __future__ import annotations

import pytest

from pocketbench.harness.runner.results import BenchOptions, SamplerOptions
from pocketbench.harness.runner.sensing import Reading, SensorRequest, sensor_list
from pocketbench.harness.sensors.catalogue import discover, discover_on
from pocketbench.harness.sensors.sampling import records_of, sensor_requests
from pocketbench.harness.sensors.spec import SensorSpec
from pocketbench.harness.sensors.traces import Record, node_table, traces_of
from pocketbench.harness.transports.local import LocalTransport
from tests.runner.conftest import TIMEOUT_S, program, runner_of  # noqa: F401 -- fixtures
from tests.runner.tiny_models import dense_onnx
from tests.sensors.captures import jetson_listing, listing_of, pi_5_listing, pixel_listing, rapl_listing


def specs_of(*names: str) -> tuple[SensorSpec, ...]:
    return tuple(spec for spec in discover(pi_5_listing()).specs if spec.name in names)


def test_the_firmware_is_asked_without_vcgencmd():
    requests = sensor_requests(specs_of("raspberry-pi-pmic", "thermal-zones"))

    assert requests == (
        SensorRequest(100, "firmware", ("pmic_read_adc",)),
        SensorRequest(500, "node", ("/sys/class/thermal/thermal_zone0/temp",)),
    )


def test_other_commands_stay_commands():
    requests = sensor_requests(discover(listing_of({}, "dumpsys")).specs)

    assert SensorRequest(1000, "command", ("dumpsys", "thermalservice")) in requests


@pytest.mark.parametrize("listing", [pi_5_listing(), pixel_listing(), jetson_listing(), rapl_listing()])
def test_the_runner_takes_every_list(listing):
    specs = discover(listing).specs

    assert sensor_list(sensor_requests(specs)).count(b"\n") == len(node_table(specs))


def test_a_reading_is_of_the_middle_of_its_time():
    readings = [Reading(3, 1_000, 400, b"1\n", None), Reading(0, 2_000, 0, b"", "ENOENT")]

    assert records_of(readings) == (Record(1_200, 3, b"1\n"), Record(2_000, 0, b"", "ENOENT"))


def test_a_launch_on_this_computer_has_traces_on_the_clock_of_its_samples(runner_of, tmp_path):  # noqa: F811
    specs = tuple(spec for spec in discover_on(LocalTransport()).specs if spec.name in ("cpu-load", "memory"))
    sampler = SamplerOptions(sensor_requests(specs))
    options = BenchOptions(warmup_iterations=2, iterations=4, min_time_ms=100, sampler=sampler)

    result = runner_of(dense_onnx(tmp_path / "m.onnx")).bench(options, TIMEOUT_S)

    assert result.sampling is not None
    traces = traces_of(specs, records_of(result.sampling.readings))
    ticks = traces["cpu-load", "cpu_total_ticks", "cpu"]
    assert ticks.times_ns[0] < result.samples["start_ns"][0]
    assert ticks.times_ns[-1] > result.samples["start_ns"][-1]
    assert ticks.values[-1] > ticks.values[0]
    assert traces["memory", "memory_bytes", "available"].values.min() > 0
