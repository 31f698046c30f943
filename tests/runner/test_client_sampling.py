"""Launches with a sampler, with streams, idle, and with the engine's profile, through the client."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pocketbench.harness.runner.results import BenchOptions, SamplerOptions
from pocketbench.harness.runner.sensing import SensorRequest
from tests.runner.conftest import TIMEOUT_S
from tests.runner.tiny_models import dense_onnx, dense_tflite

SENSORS = (
    SensorRequest(20, "node", ("/proc/uptime",)),
    SensorRequest(60_000, "command", ("cat", "/proc/loadavg")),
)
BRIEF = BenchOptions(warmup_iterations=2, iterations=4, min_time_ms=100, sampler=SamplerOptions(SENSORS))


@pytest.fixture(params=["litert", "onnxruntime"])
def runner(request, runner_of, tmp_path):
    if request.param == "litert":
        return runner_of(dense_tflite(tmp_path / "m.tflite"))
    return runner_of(dense_onnx(tmp_path / "m.onnx"))


def left_behind(folder) -> list[str]:
    return [path.name for path in folder.glob(".*")]


def test_readings_surround_the_samples(runner, tmp_path):
    result = runner.bench(BRIEF, TIMEOUT_S)

    sampling = result.sampling
    assert sampling is not None
    assert sampling.readings[0].start_ns < result.samples["start_ns"][0]
    assert sampling.readings[-1].start_ns > result.samples["start_ns"][-1]
    assert {reading.sensor for reading in sampling.readings} == {0, 1}
    assert (sampling.late >= 0, sampling.flags) == (True, ())
    assert 0 < sampling.cpu_ns < TIMEOUT_S * 1e9
    assert left_behind(tmp_path) == []


def test_without_sensors_nothing_is_sampled(runner):
    assert runner.bench(replace(BRIEF, sampler=None), TIMEOUT_S).sampling is None


def test_an_input_travels_beside_the_list_of_sensors(runner_of, tmp_path):
    from pocketbench.harness.runner.tensors import write_tensors

    runner = runner_of(dense_onnx(tmp_path / "m.onnx"))
    (facts,) = runner.describe().inputs
    shape = [abs(size) for size in facts.shape]
    write_tensors(tmp_path / "data", [np.ones((1, *shape), np.float32)])

    result = runner.bench(replace(BRIEF, input=tmp_path / "data"), TIMEOUT_S)

    assert result.sampling is not None
    assert left_behind(tmp_path) == []


def test_an_idle_launch_has_readings_and_no_samples(runner, tmp_path):
    result = runner.idle(BRIEF, 150, TIMEOUT_S)

    assert 150e6 <= result.end_ns - result.start_ns < TIMEOUT_S * 1e9
    assert result.sampling is not None
    assert result.sampling.readings[0].start_ns < result.start_ns
    assert result.sampling.readings[-1].start_ns >= result.end_ns
    assert left_behind(tmp_path) == []


def test_every_stream_has_its_samples(runner, tmp_path):
    result = runner.bench(replace(BRIEF, streams=3), TIMEOUT_S)

    assert len(result.other_streams) == 2
    begin = result.samples["start_ns"][result.samples["steady"]][0]
    for samples in result.other_streams:
        assert len(samples) > 1
        np.testing.assert_array_equal(samples["steady"], samples["start_ns"] >= begin)
    assert left_behind(tmp_path) == []


def test_operators_and_their_times(runner, tmp_path):
    operators = runner.profile(BenchOptions(), 5, TIMEOUT_S)

    assert any("Gemm" in operator.operator or "Fully Connected" in operator.operator for operator in operators)
    assert left_behind(tmp_path) == []


def test_where_the_model_runs(runner_of, tmp_path):
    runner = runner_of(dense_tflite(tmp_path / "m.tflite"))

    assert runner.bench(replace(BRIEF, accelerator="gpu"), TIMEOUT_S).fully_accelerated is False
    assert runner.bench(BRIEF, TIMEOUT_S).fully_accelerated is None
