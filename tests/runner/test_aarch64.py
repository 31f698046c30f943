"""The aarch64 build does its work under emulation, with a fake engine built for aarch64."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from pocketbench.harness.errors import RunnerCrashError, RunnerError
from pocketbench.harness.runner.binaries import runner_binary
from pocketbench.harness.runner.client import Runner
from pocketbench.harness.runner.results import BenchOptions
from pocketbench.harness.transports.local import LocalTransport
from tests.needs import require_path, require_program
from tests.runner.conftest import ECHO, TIMEOUT_S
from tests.runner.fakes import build_fake

LIBC = Path("/usr/aarch64-linux-gnu")
INSTALL = "apt-get install qemu-user-static libc6-arm64-cross libgcc-s1-arm64-cross libstdc++6-arm64-cross"


@pytest.fixture(scope="module")
def emulated(tmp_path_factory):
    """The aarch64 runner as a program of this computer."""
    qemu = require_program("qemu-aarch64-static", INSTALL)
    require_path(LIBC / "lib" / "ld-linux-aarch64.so.1", INSTALL)
    script = tmp_path_factory.mktemp("emulated") / "runner"
    script.write_text(f'#!/bin/sh\nexec {qemu} -L {LIBC} {runner_binary("linux-aarch64")} "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


@pytest.fixture(scope="module")
def library(emulated, tmp_path_factory) -> Path:
    return build_fake("onnxruntime", "linux-aarch64", tmp_path_factory.mktemp("fakes"))


@pytest.fixture
def runner(emulated, library, tmp_path):
    def runner(orders: str = ECHO) -> Runner:
        (tmp_path / "model").write_text(orders)
        paths = [PurePosixPath(path) for path in (emulated, library, tmp_path / "model", tmp_path)]
        return Runner(LocalTransport(), paths[0], "onnxruntime", *paths[1:])

    return runner


def test_bad_usage_is_an_error_event(emulated):
    completed = LocalTransport().run([str(emulated), "describe"], timeout_s=TIMEOUT_S)

    last = json.loads(completed.stdout.splitlines()[-1])
    assert (completed.exit_code, last["event"], last["stage"]) == (1, "error", "options")
    assert last["message"] == "expected --engine, --library and --model"


def test_it_describes(runner):
    description = runner().describe()

    assert description.engine_version == "0.17.fake"
    assert [(facts.name, facts.shape, facts.dtype) for facts in description.inputs] == [("x", (2, 3), "float32")]


def test_it_infers(runner):
    data = np.arange(12, dtype=np.float32).reshape(2, 2, 3)

    (output,) = runner().infer([data], timeout_s=TIMEOUT_S)

    np.testing.assert_array_equal(output, data)


def test_it_measures_and_its_random_input_is_that_of_x86_64(runner, fake_runner, tmp_path):
    options = BenchOptions(warmup_iterations=1, iterations=2, min_time_ms=0, seed=3)
    result = runner().bench(options, TIMEOUT_S)
    emulated_input = (tmp_path / "model.input0").read_bytes()
    (tmp_path / "model.input0").unlink()

    fake_runner().bench(options, TIMEOUT_S)

    assert result.samples["steady"].tolist() == [False, True, True]
    assert len(emulated_input) == 4 * 6 * 4
    assert emulated_input == (tmp_path / "model.input0").read_bytes()


def test_it_pins_its_cores(runner):
    core = max(os.sched_getaffinity(0))

    with pytest.raises(RunnerError, match=rf"cores {core}\."):
        runner(ECHO + "tell cores\n").bench(BenchOptions(cores=(core,)), TIMEOUT_S)


def test_it_reports_memory(runner):
    stages = runner().memory(1, TIMEOUT_S)

    assert [stage.stage for stage in stages] == ["start", "engine_loaded", "model_loaded", "first_inference", "end"]


def test_a_crash_of_the_engine_is_a_crash(runner):
    with pytest.raises(RunnerCrashError) as caught:
        runner(ECHO + "at run segv\n").bench(BenchOptions(), TIMEOUT_S)

    assert (caught.value.signal, caught.value.stage) == (11, "first_inference")
