"""The builds for other platforms than this computer's do their work, with a fake engine built for each.

aarch64 runs under qemu: linked against this computer's cross libraries, and started through a loader that is carried
along with its libraries, as on a board whose C library is too old. Android's builds run under a stand-in for Android's
loader and C library (tests/devices/android_stand_in), x86_64 at full speed and arm64 under qemu.
"""

from __future__ import annotations

import json
import os
import platform as computer
import shutil
import subprocess
import time
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from pocketbench.harness.errors import RunnerCrashError, RunnerError
from pocketbench.harness.runner.binaries import runner_binary
from pocketbench.harness.runner.client import Runner
from pocketbench.harness.runner.launch import read_launch
from pocketbench.harness.runner.protocol import SensorsEvent, one_event
from pocketbench.harness.runner.results import BenchOptions
from pocketbench.harness.runner.sensing import SensorRequest, read_readings, sensor_list
from pocketbench.harness.transports.local import LocalTransport
from tests.devices.android_stand_in import build_linker
from tests.needs import require_path, require_program, require_that
from tests.runner.conftest import ECHO, TIMEOUT_S
from tests.runner.fakes import build_fake

LIBC = Path("/usr/aarch64-linux-gnu")
LOADER = "ld-linux-aarch64.so.1"
BUNDLE = (LOADER, "libc.so.6", "libdl.so.2")
INSTALL = "apt-get install qemu-user-static libc6-arm64-cross libgcc-s1-arm64-cross libstdc++6-arm64-cross"
WAYS = ("linux-aarch64", "linux-aarch64 with a carried loader", "android-arm64", "android-x86_64")


def _command(way: str, folder: Path) -> tuple[str, ...]:
    """What starts the runner of a way on this computer."""
    platform = way.split(maxsplit=1)[0]
    runner = str(runner_binary(platform))
    if platform == "android-x86_64":
        require_that(computer.machine() == "x86_64", f"expected an x86_64 processor, got {computer.machine()}")
        return (str(build_linker(platform, folder)), runner)
    qemu = str(require_program("qemu-aarch64-static", INSTALL))
    if platform == "android-arm64":
        return (qemu, str(build_linker(platform, folder)), runner)
    require_path(LIBC / "lib" / LOADER, INSTALL)
    if way == platform:
        return (qemu, "-L", str(LIBC), runner)
    for name in BUNDLE:
        shutil.copy(LIBC / "lib" / name, folder / name)
    return (qemu, str(folder / LOADER), "--library-path", str(folder), runner)


@pytest.fixture(scope="module", params=WAYS)
def way(request) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def emulated(way, tmp_path_factory) -> tuple[str, ...]:
    return _command(way, tmp_path_factory.mktemp("emulated"))


@pytest.fixture(scope="module")
def library(way, emulated, tmp_path_factory) -> Path:
    return build_fake("onnxruntime", way.split(maxsplit=1)[0], tmp_path_factory.mktemp("fakes"))


@pytest.fixture
def runner(emulated, library, tmp_path):
    def runner(orders: str = ECHO) -> Runner:
        (tmp_path / "model").write_text(orders)
        paths = [PurePosixPath(path) for path in (library, tmp_path / "model", tmp_path)]
        return Runner(LocalTransport(), emulated, "onnxruntime", *paths)

    return runner


def test_bad_usage_is_an_error_event(emulated):
    completed = LocalTransport().run([*emulated, "describe"], timeout_s=TIMEOUT_S)

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


def test_it_says_in_words_why_the_system_refused(runner):
    with pytest.raises(RunnerError, match="cannot pin the process to the cores 1000: Invalid argument"):
        runner().bench(BenchOptions(cores=(1000,)), TIMEOUT_S)


def test_it_reports_memory(runner):
    stages = runner().memory(1, TIMEOUT_S)

    assert [stage.stage for stage in stages] == ["start", "engine_loaded", "model_loaded", "first_inference", "end"]


def test_it_samples_sensors_meanwhile(emulated, library, tmp_path):
    sensors = [SensorRequest(50, "node", ("/proc/uptime",)), SensorRequest(60_000, "command", ("echo", "hello"))]
    (tmp_path / "sensors").write_bytes(sensor_list(sensors))
    (tmp_path / "model").write_text(ECHO)
    engine = ("--engine", "onnxruntime", "--library", library, "--model", tmp_path / "model")
    files = ("--sensors", tmp_path / "sensors", "--readings", tmp_path / "readings", "--min-time-ms", "300")
    before = time.monotonic_ns()

    completed = LocalTransport().run(list(map(str, (*emulated, "idle", *engine, *files))), timeout_s=TIMEOUT_S)

    said = one_event(read_launch(completed, "it"), SensorsEvent)
    readings = read_readings((tmp_path / "readings").read_bytes(), sensors=2, count=said.readings)
    assert before < readings[0].start_ns < readings[-1].start_ns < time.monotonic_ns()
    assert [reading.data for reading in readings if reading.sensor == 1] == [b"hello\n"] * 2
    assert len(readings) > 4
    assert 0 < said.cpu_ns < TIMEOUT_S * 1e9
    assert said.flags == ()


def test_it_turns_telemetry_off(runner):
    with pytest.raises(RunnerError, match="telemetry 1"):
        runner(ECHO + "tell telemetry\n").describe()


def test_a_crash_of_the_engine_is_a_crash(runner):
    with pytest.raises(RunnerCrashError) as caught:
        runner(ECHO + "at run segv\n").bench(BenchOptions(), TIMEOUT_S)

    assert (caught.value.signal, caught.value.stage) == (11, "first_inference")


def test_an_engine_that_is_not_there_is_named(emulated, tmp_path):
    argv = [*emulated, "describe", "--engine", "litert", "--library", "/no/libLiteRt.so", "--model", "m"]

    last = json.loads(LocalTransport().run(argv, timeout_s=TIMEOUT_S).stdout.splitlines()[-1])

    assert (last["event"], last["stage"]) == ("error", "engine_load")
    assert "/no/libLiteRt.so" in last["message"]


@pytest.mark.skipif(computer.machine() != "x86_64", reason="one that starts at full speed is enough")
def test_the_stand_in_gives_a_program_nothing_beyond_the_list(tmp_path):
    linker = build_linker("android-x86_64", tmp_path)

    completed = subprocess.run([linker, runner_binary("linux-x86_64"), "--help"], capture_output=True, check=False)

    assert completed.returncode == 1
    assert b"CANNOT LINK EXECUTABLE" in completed.stderr
