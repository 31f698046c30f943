"""Latency: every iteration is a sample, warm-up first; where and how the process ran is what was asked for."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import numpy as np
import pytest

from pocketbench.harness.errors import RunnerError
from pocketbench.harness.runner.results import BenchOptions
from pocketbench.harness.runner.tensors import write_tensors
from tests.runner.conftest import ECHO, TIMEOUT_S
from tests.runner.tiny_models import dense_onnx, dense_tflite, one_to_one_onnx

BRIEF = BenchOptions(warmup_iterations=3, iterations=5, min_time_ms=0)


@pytest.fixture(params=["litert", "onnxruntime"])
def runner(request, runner_of, tmp_path):
    if request.param == "litert":
        return runner_of(dense_tflite(tmp_path / "m.tflite"))
    return runner_of(dense_onnx(tmp_path / "m.onnx"))


def test_every_iteration_is_a_sample_and_warm_up_is_marked(runner):
    before = time.monotonic_ns()
    result = runner.bench(BRIEF, TIMEOUT_S)
    after = time.monotonic_ns()

    assert result.samples["steady"].tolist() == [False] * 3 + [True] * 5
    starts, latencies = result.samples["start_ns"], result.samples["latency_ns"]
    assert (latencies > 0).all()
    assert (starts[1:] >= starts[:-1] + latencies[:-1]).all()
    # The device is this computer, so its CLOCK_MONOTONIC is ours.
    assert before < starts[0]
    assert starts[-1] + latencies[-1] < after
    np.testing.assert_array_equal(result.steady_ns, latencies[3:])
    assert result.flags == ()


def test_load_init_and_first_inference_are_figures_of_their_own(runner):
    result = runner.bench(BRIEF, TIMEOUT_S)

    parts = (result.engine_load_ns, result.model_init_ns, result.first_inference_ns)
    assert all(0 < part < TIMEOUT_S * 1e9 for part in parts)
    assert len(set(parts)) == 3


def test_the_library_tells_the_version_that_is_installed(runner_of, tmp_path):
    import onnxruntime

    assert runner_of(dense_onnx(tmp_path / "m.onnx")).bench(BRIEF, TIMEOUT_S).engine_version == onnxruntime.__version__


def test_a_minimum_time_goes_on_after_the_iterations(fake_runner):
    result = fake_runner().bench(BenchOptions(warmup_iterations=0, iterations=1, min_time_ms=200), TIMEOUT_S)

    samples = result.samples
    assert len(samples) > 1
    assert samples["steady"].all()
    assert samples["start_ns"][-1] + samples["latency_ns"][-1] - samples["start_ns"][0] > 100_000_000


def test_a_warm_up_time_goes_on_after_the_iterations(fake_runner):
    options = BenchOptions(warmup_iterations=1, warmup_time_ms=200, iterations=1, min_time_ms=0)

    result = fake_runner().bench(options, TIMEOUT_S)

    assert (~result.samples["steady"]).sum() > 1
    assert result.samples["steady"].sum() == 1


def test_a_maximum_time_cuts_both_short_and_says_so(fake_runner):
    options = BenchOptions(warmup_iterations=4_000_000, iterations=4_000_000, min_time_ms=0, max_time_ms=30)

    result = fake_runner().bench(options, TIMEOUT_S)

    assert result.flags == ("warmup_max_time", "max_time")
    assert 0 < len(result.samples) < 4_000_000
    assert len(result.steady_ns) > 0


def test_every_run_gets_new_outputs_and_the_old_ones_are_released_in_between(fake_runner):
    # The fake refuses to run with the outputs of the run before, and with more than one run's outputs alive.
    assert len(fake_runner().bench(BRIEF, TIMEOUT_S).samples) == 8


def test_the_input_may_come_from_a_file(fake_runner, tmp_path):
    data = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    write_tensors(tmp_path / "data", [data])

    fake_runner().bench(replace(BRIEF, input=tmp_path / "data"), TIMEOUT_S)

    # First inference, three of warm-up, five: all with the first sample.
    assert (tmp_path / "model.input0").read_bytes() == data[0].tobytes() * 9
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "model", "model.input0"]


def test_a_dynamic_batch_runs_as_one(fake_runner, tmp_path):
    fake_runner("input x 1 2 -1 3\noutput y 1 2 -1 3\n").bench(BRIEF, TIMEOUT_S)

    assert len((tmp_path / "model.input0").read_bytes()) == 9 * 3 * 4


def test_threads_reach_onnx_runtime(fake_runner):
    with pytest.raises(RunnerError, match="threads 3"):
        fake_runner(ECHO + "tell threads\n").bench(replace(BRIEF, threads=3), TIMEOUT_S)


def test_threads_reach_litert(fake_runner):
    with pytest.raises(RunnerError, match="xnnpack: num_threads = 3"):
        fake_runner(engine="litert", name="threads").bench(replace(BRIEF, threads=3), TIMEOUT_S)


@pytest.mark.parametrize("number", [0, -1], ids=["first", "last"])
def test_the_process_may_run_on_the_cores_asked_for_and_no_other(fake_runner, number):
    core = sorted(os.sched_getaffinity(0))[number]

    with pytest.raises(RunnerError, match=rf"cores {core}\.$"):
        fake_runner(ECHO + "tell cores\n").bench(replace(BRIEF, cores=(core,)), TIMEOUT_S)


def test_a_core_that_is_not_there_is_refused_even_beside_one_that_is(fake_runner):
    core = min(os.sched_getaffinity(0))

    for cores in ((1023,), (core, 1023)):
        with pytest.raises(RunnerError) as caught:
            fake_runner().bench(replace(BRIEF, cores=cores), TIMEOUT_S)
        assert caught.value.stage == "options"
        assert "online and allowed here" in str(caught.value)


@pytest.mark.parametrize(
    "cores", [pytest.param((), id="none"), pytest.param((-1,), id="negative"), pytest.param((1024,), id="too-large")]
)
def test_a_list_that_is_no_list_of_cores_is_refused(fake_runner, cores):
    with pytest.raises(RunnerError, match="expected core numbers separated by commas"):
        fake_runner().bench(replace(BRIEF, cores=cores), TIMEOUT_S)


def test_a_dynamic_dimension_that_is_no_batch_needs_data(runner_of, tmp_path):
    runner = runner_of(one_to_one_onnx(tmp_path / "m.onnx", "Identity", "FLOAT", ["n", "length"]))
    write_tensors(tmp_path / "data", [np.ones((1, 2, 9), np.float32)])

    with pytest.raises(RunnerError, match=r"no dynamic dimension but the batch in the input 'x', got shape \?x\?"):
        runner.bench(BRIEF, TIMEOUT_S)
    assert len(runner.bench(replace(BRIEF, input=tmp_path / "data"), TIMEOUT_S).samples) == 8


def test_a_bench_costs_no_walk_through_the_page_tables(runner):
    stages = runner.bench(BRIEF, TIMEOUT_S).stages

    assert [stage.stage for stage in stages] == ["start", "engine_loaded", "model_loaded", "first_inference", "end"]
    assert all(stage.pss_bytes is None and stage.private_bytes is None for stage in stages)
    assert all(stage.resident_bytes and stage.peak_resident_bytes for stage in stages)


def test_paced_inferences_begin_at_their_turns(launch, fakes, tmp_path):
    """An app has an inference every so often, and its processor sleeps in between."""
    (tmp_path / "model").write_text(ECHO)
    completed = launch(
        *("bench", "--engine", "onnxruntime", "--library", fakes["onnxruntime"], "--model", tmp_path / "model"),
        *("--samples", tmp_path / "samples", "--warmup-iterations", 0, "--iterations", 8, "--min-time-ms", 0),
        *("--interval-us", 20_000),
    )

    assert completed.exit_code == 0
    starts = np.fromfile(tmp_path / "samples", "<i8").reshape(-1, 2)[:, 0]
    turns = (starts - starts[0]) / 20e6
    # At a turn, or a bit later on a busy computer; never before it, and never two at one.
    assert len(set(np.round(turns - 0.3).tolist())) == 8
    assert (np.diff(starts) > 10e6).all()
    assert np.median(np.abs(turns - np.round(turns))) < 0.25
