"""The Android-like device is what it says, and our builds for phones do their work on it in both ways.

One way is the bionic build, which the kernel starts through /system/bin/linker64: here a stand-in for Android's own
(android_stand_in/linker64.c), so this shows the form of the file and the way it starts. The other is the build for
glibc with a loader and libraries carried along, which is on a phone exactly what it is here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from pocketbench.harness.errors import DeviceTimeoutError, RunnerCrashError
from pocketbench.harness.runner.binaries import runner_binary
from pocketbench.harness.runner.client import Runner
from pocketbench.harness.runner.results import BenchOptions
from pocketbench.harness.transports.base import Completed
from tests.devices.android_device import DATA, AndroidDevice, AndroidShell
from tests.devices.android_root import PROPERTIES
from tests.needs import require_path
from tests.runner.conftest import ECHO, TIMEOUT_S
from tests.runner.fakes import LIBRARIES, build_fake
from tests.runner.test_foreign_platforms import BUNDLE, INSTALL, LIBC, LOADER


def say(device: AndroidDevice, script: str) -> Completed:
    return AndroidShell(device).run(["sh", "-c", script], timeout_s=TIMEOUT_S)


def test_it_looks_like_a_phone(android):
    said = say(
        android, "uname -m; hostname; getprop ro.product.model; getprop no.such; cat /proc/cpuinfo | grep -c 0xd41"
    )

    assert said.stdout.decode().splitlines() == ["aarch64", "localhost", PROPERTIES["ro.product.model"], "", "4"]
    assert say(android, "getprop").stdout.decode().splitlines()[-1] == f"[ro.soc.model]: [{PROPERTIES['ro.soc.model']}]"


def test_its_shell_is_mksh_and_its_tools_are_those_of_a_phone(android):
    assert b"MIRBSD KSH" in say(android, "echo $KSH_VERSION").stdout
    assert say(android, "cd /data/local/tmp && printf x | gzip | gzip -d | sha256sum").exit_code == 0
    assert say(android, "wget").exit_code == 127


def test_it_has_no_c_library_but_the_stand_in(android):
    found = say(android, "find / -name '*.so*' ! -path '/proc/*'; find / -name 'ld-*' ! -path '/proc/*'; ls /lib /usr")

    assert found.stdout == b""


def test_its_system_cannot_be_written_and_its_card_cannot_run_programs(android):
    assert b"Read-only" in say(android, "echo x > /system/x").stderr
    assert say(android, "cp /system/bin/busybox /sdcard/; /sdcard/busybox true").exit_code == 126


def test_it_sees_no_process_and_no_network_of_this_computer(android):
    processes = say(android, "cd /proc; echo [0-9]*").stdout.split()

    assert len(processes) < 10
    assert say(android, "cat /proc/net/dev | grep -c :").stdout == b"1\n"


def test_a_command_that_takes_too_long_is_ended_there(android):
    with pytest.raises(DeviceTimeoutError):
        AndroidShell(android).run(["sleep", "1234"], timeout_s=0.5)

    deadline = time.monotonic() + TIMEOUT_S
    while b"sleep 1234" in (listed := say(android, "ps | grep -v grep").stdout) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert b"sleep 1234" not in listed


def test_nothing_of_it_is_left(android_root, tmp_path):
    (tmp_path / "data").mkdir()
    with AndroidDevice(android_root, tmp_path / "data") as device:
        background = subprocess.Popen(device.command(["sleep", "4321"]))
    assert background.wait(timeout=TIMEOUT_S) != 0

    arguments = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if _is_readable(path)]
    assert not [line for line in arguments if str(tmp_path).encode() in line or b"\x004321\x00" in line]
    assert str(android_root) not in Path("/proc/self/mounts").read_text()
    assert list((android_root / "dev").iterdir()) == []


def _is_readable(path: Path) -> bool:
    try:
        path.read_bytes()
    except OSError:  # it ended in the meantime
        return False
    return True


@pytest.fixture(params=["bionic", "carried loader"])
def runner(request, android):
    """A runner on the device with a fake engine that obeys orders, as bionic's and as glibc's build."""
    platform = "android-arm64" if request.param == "bionic" else "linux-aarch64"
    shell, program = AndroidShell(android), str(DATA / "pocketbench-runner")
    shell.push(runner_binary(platform), DATA / "pocketbench-runner", mode=0o755)
    library = build_fake("onnxruntime", platform, android.data.parent / "fakes")
    shell.push(library, DATA / LIBRARIES["onnxruntime"])
    launcher: tuple[str, ...] = (program,)
    if platform == "linux-aarch64":
        require_path(LIBC / "lib" / LOADER, INSTALL)
        (android.data / "glibc").mkdir()
        for name in BUNDLE:
            shutil.copy(LIBC / "lib" / name, android.data / "glibc" / name)
        launcher = (f"{DATA}/glibc/{LOADER}", "--library-path", f"{DATA}/glibc", program)

    def runner(orders: str = ECHO) -> Runner:
        (android.data / "model").write_text(orders)
        return Runner(shell, launcher, "onnxruntime", DATA / LIBRARIES["onnxruntime"], DATA / "model", DATA)

    return runner


def test_the_runner_describes_infers_and_measures(runner, android):
    data = np.arange(12, dtype=np.float32).reshape(2, 2, 3)

    assert runner().describe().engine_version == "0.17.fake"
    (output,) = runner().infer([data], timeout_s=TIMEOUT_S)
    result = runner().bench(BenchOptions(warmup_iterations=1, iterations=2, min_time_ms=0), TIMEOUT_S)

    np.testing.assert_array_equal(output, data)
    assert result.samples["steady"].tolist() == [False, True, True]
    assert [path.name for path in android.data.iterdir() if path.name.startswith(".")] == []


def test_the_runner_tells_its_memory_and_pins_its_cores(runner):
    core = max(os.sched_getaffinity(0))

    stages = runner().memory(1, TIMEOUT_S, cores=(core,))

    assert [stage.stage for stage in stages] == ["start", "engine_loaded", "model_loaded", "first_inference", "end"]
    assert all((stage.peak_resident_bytes or 0) > 0 for stage in stages)


def test_a_crash_of_an_engine_there_is_a_crash(runner):
    with pytest.raises(RunnerCrashError) as caught:
        runner(ECHO + "at run segv\n").bench(BenchOptions(), TIMEOUT_S)

    assert (caught.value.signal, caught.value.stage) == (11, "first_inference")


def test_a_build_for_glibc_cannot_start_by_itself(android):
    shell = AndroidShell(android)
    shell.push(runner_binary("linux-aarch64"), DATA / "runner", mode=0o755)

    completed = say(android, f"{DATA}/runner --help")

    assert completed.exit_code != 0  # a phone's shell says 127, qemu 255
    assert completed.stdout == b""
